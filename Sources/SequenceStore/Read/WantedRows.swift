import Arrow
import Buffers

/// Which rows of a source are wanted: conditions leave out rows one after the other, each of them a column at a time.
struct WantedRows {
  private var isWanted: [Bool]

  /// All of `count` rows.
  init(count: Int) { isWanted = [Bool](repeating: true, count: count) }

  mutating func keep(_ rows: Bitmap) { for row in isWanted.indices where !rows[row] { isWanted[row] = false } }

  mutating func drop(_ rows: Bitmap) { for row in isWanted.indices where rows[row] { isWanted[row] = false } }

  /// Leaves out rows with a number below 0, Int32 each.
  mutating func dropNegatives(_ numbers: Buffer) {
    let numbers = numbers.span(of: Int32.self)
    for row in isWanted.indices where numbers[row] < 0 { isWanted[row] = false }
  }

  /// Leaves out those of the rows for which `isGone`.
  @inline(__always) mutating func drop(where isGone: (Int) -> Bool) {
    for row in isWanted.indices where isWanted[row] && isGone(row) { isWanted[row] = false }
  }

  /// Those of the user's rows that are left.
  ///
  /// - Parameters:
  ///   - times: Int64 each.
  ///   - types: Int32 each; nil where types do not matter.
  func rows(
    of source: UserRows, _ number: Int32, _ times: Buffer, _ types: Buffer?
  ) -> [EventCollector.Found] {
    var rows: [EventCollector.Found] = []
    rows.reserveCapacity(source.count)
    let times = times.span(of: Int64.self)
    let typeBytes = types ?? .empty
    let typeNumbers = typeBytes.span(of: Int32.self)
    let selected = source.selected
    for index in 0..<source.count {
      let place = selected.map { Int($0[index]) } ?? index
      guard isWanted[place] else { continue }
      rows.append(
        EventCollector.Found(
          micros: times[place], id: EventCollector.RowID(source: number, place: Int32(place)),
          type: types == nil ? EventTypeRules.none : typeNumbers[place]))
    }
    return rows
  }
}
