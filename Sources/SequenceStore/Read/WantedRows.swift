import Arrow
import Buffers

/// Which rows of a source are wanted: conditions leave out rows one after the other, each of them a column at a time.
struct WantedRows {
  private let count: Int
  /// The user's among them; nil: all.
  private let selected: [Int32]?
  private let number: Int32
  /// Nil: all.
  private var isWanted: [Bool]?

  /// All of them.
  ///
  /// - Parameter number: the source's.
  init(_ source: UserRows, number: Int32) {
    (count, selected, self.number) = (source.rows.count, source.selected, number)
  }

  mutating func keep(_ rows: Bitmap) { update { !rows[$0] } }

  mutating func drop(_ rows: Bitmap) { update { rows[$0] } }

  private mutating func update(dropping isDropped: (Int) -> Bool) {
    var wanted = isWanted ?? [Bool](repeating: true, count: count)
    for row in wanted.indices where isDropped(row) { wanted[row] = false }
    isWanted = wanted
  }

  /// Whether one of the user's rows, wanted or not, is of a revision above 0.
  ///
  /// - Parameter revisions: Int32 each.
  func haveCorrections(_ revisions: Buffer) -> Bool {
    let revisions = revisions.span(of: Int32.self)
    if let selected { return selected.contains { revisions[Int($0)] > 0 } }
    var highest: Int32 = 0
    for row in 0..<count { highest = max(highest, revisions[row]) }
    return highest > 0
  }

  /// Those of the user's rows that are wanted.
  ///
  /// - Parameter times: Int64 each.
  func rows(_ times: Buffer) -> [EventCollector.Found] {
    let times = times.span(of: Int64.self)
    var rows: [EventCollector.Found] = []
    rows.reserveCapacity(selected?.count ?? count)
    forEach { rows.append(row($0, times[$0], EventTypeRules.none)) }
    return rows
  }

  /// Those of the user's rows that are wanted and not gone.
  ///
  /// - Parameters:
  ///   - times: Int64 each.
  ///   - types: Int32 each, into `numbers`: the types as `EventTypeRules` numbers them, -1 for those not wanted.
  ///   - gone: with the rows' event keys, Int64 each, and revisions, Int32 each.
  func rows(
    _ times: Buffer, _ types: Buffer, numbers: [Int32],
    without gone: (events: UserRetractions, keys: Buffer, revisions: Buffer)?
  ) -> [EventCollector.Found] {
    let (times, types, numbers) = (times.span(of: Int64.self), types.span(of: Int32.self), numbers.span)
    var rows: [EventCollector.Found] = []
    rows.reserveCapacity(selected?.count ?? count)
    guard let gone else {
      forEach { place in
        let type = numbers[Int(types[place])]
        if type >= 0 { rows.append(row(place, times[place], type)) }
      }
      return rows
    }
    let (keys, revisions) = (gone.keys.span(of: Int64.self), gone.revisions.span(of: Int32.self))
    forEach { place in
      let type = numbers[Int(types[place])]
      guard type >= 0, !gone.events.contain(keys[place], type, revisions[place]) else { return }
      rows.append(row(place, times[place], type))
    }
    return rows
  }

  @inline(__always) private func row(_ place: Int, _ micros: Int64, _ type: Int32) -> EventCollector.Found {
    EventCollector.Found(
      micros: micros, id: EventCollector.RowID(source: number, place: Int32(truncatingIfNeeded: place)), type: type)
  }

  @inline(__always) private func forEach(_ body: (Int) -> Void) {
    for index in 0..<(selected?.count ?? count) {
      let place = selected.map { Int($0[index]) } ?? index
      if isWanted?[place] ?? true { body(place) }
    }
  }
}
