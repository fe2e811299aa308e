import Arrow
import Buffers

/// Which of some rows are wanted: conditions leave out rows one after the other, each of them a column at a time.
struct WantedRows {
  private let part: EventCollector.SourcePart
  /// The user's among them; nil: all.
  private let selected: [Int32]?
  /// Nil: all.
  private var isWanted: [Bool]?

  /// All of them.
  ///
  /// - Parameter selected: the user's among them, counted from the first; nil: all.
  init(_ part: EventCollector.SourcePart, selected: [Int32]?) { (self.part, self.selected) = (part, selected) }

  private var count: Int { part.rows.count }

  mutating func keep(_ rows: Bitmap) { update { !rows[$0] } }

  mutating func drop(_ rows: Bitmap) { update { rows[$0] } }

  private mutating func update(dropping isDropped: (Int) -> Bool) {
    var wanted = isWanted ?? [Bool](repeating: true, count: count)
    for row in wanted.indices where isDropped(row) { wanted[row] = false }
    isWanted = wanted
  }

  /// Whether one of the user's rows, wanted or not, is of a revision above 0.
  ///
  /// - Parameter revisions: Int32 each, of all rows of the source.
  func haveCorrections(_ revisions: Buffer) -> Bool {
    let revisions = revisions.span(of: Int32.self)
    let first = part.rows.lowerBound
    if let selected { return selected.contains { revisions[first + Int($0)] > 0 } }
    var highest: Int32 = 0
    for row in part.rows { highest = max(highest, revisions[row]) }
    return highest > 0
  }

  /// Those of the user's rows that are wanted.
  ///
  /// - Parameter times: Int64 each, of all rows of the source.
  func rows(_ times: Buffer) -> [EventCollector.Found] {
    let times = times.span(of: Int64.self)
    var rows: [EventCollector.Found] = []
    rows.reserveCapacity(selected?.count ?? count)
    forEach { rows.append(row($0, times[$0], EventTypeRules.none)) }
    return rows
  }

  /// Those of the user's rows that are wanted and not gone.
  ///
  /// - Parameters, of all rows of the source:
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
      micros: micros, id: EventCollector.RowID(source: Int32(part.source), place: Int32(truncatingIfNeeded: place)),
      type: type)
  }

  @inline(__always) private func forEach(_ body: (Int) -> Void) {
    let first = part.rows.lowerBound
    for index in 0..<(selected?.count ?? count) {
      let offset = selected.map { Int($0[index]) } ?? index
      if isWanted?[offset] ?? true { body(first + offset) }
    }
  }
}
