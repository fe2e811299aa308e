import Arrow
import Buffers
import Definitions
import Expressions

// Derived columns see the events before those that are given out, as far back as they look, whatever the request cuts.

extension EventCollector {
  /// Gathers the events that the derived columns see, reading steps until they need no more.
  /// - Returns: false when a row that was found turned out to be superseded, so that all must be selected anew.
  mutating func lookBack(using context: inout DecodingContext) throws(StoreError) -> Bool {
    history = []
    guard !reading.computers.isEmpty, let oldest = found.last else { return true }
    var known = superseded.count
    history = events(ofSteps: candidates.indices)
    var (pending, checkedCount) = (reading.computers.map(\.lookBack), 0)
    while try isPending(&pending, before: oldest, &checkedCount, using: &context),
      let step = steps.step(candidates.count)
    {
      guard try read(step, using: &context) else { return true }
      if superseded.count == known {
        history += events(ofSteps: candidates.count - 1..<candidates.count)
        continue
      }
      if isStale(since: known) { return false }
      known = superseded.count
      history = events(ofSteps: candidates.indices)
      (pending, checkedCount) = (reading.computers.map(\.lookBack), 0)
    }
    return true
  }

  /// The events of the sequence in some of the steps that were read, newest first.
  private func events(ofSteps steps: Range<Int>) -> [Found] {
    steps.flatMap { candidates[$0].reversed() }.filter { $0.micros < request.untilMicros ?? .max }
  }

  /// Drops what has seen enough, and tells whether anything is left.
  ///
  /// - Parameter checkedCount: how many events of the history were looked at before; now all.
  private mutating func isPending(
    _ pending: inout [LookBack], before oldest: Found, _ checkedCount: inout Int,
    using context: inout DecodingContext
  ) throws(StoreError) -> Bool {
    let first = history.firstIndex { $0.id == oldest.id }!
    let readMicros = steps.made[candidates.count - 1].startMicros ?? .min
    var left: [LookBack] = []
    for lookBack in pending {
      let hasSeen: Bool
      switch lookBack {
      case .everything: hasSeen = false
      case .time(let micros): hasSeen = readMicros <= oldest.micros.addingSaturated(-micros)
      case .pause(let micros): hasSeen = hasPause(longerThan: micros, from: first, readMicros: readMicros)
      case .event(nil): hasSeen = first + 1 < history.count
      case .event(let filter?):
        hasSeen = try hasEvent(filter, among: max(first + 1, checkedCount)..<history.count, using: &context)
      }
      if !hasSeen { left.append(lookBack) }
    }
    (pending, checkedCount) = (left, history.count)
    return !left.isEmpty
  }

  /// Whether a session began between the oldest event read and the one at place `first`.
  ///
  /// - Parameter readMicros: all events from this time on were read.
  private func hasPause(longerThan micros: Int64, from first: Int, readMicros: Int64) -> Bool {
    for place in first..<history.count - 1
    where history[place].micros.isLater(than: history[place + 1].micros, by: micros) {
      return true
    }
    return readMicros <= history[history.count - 1].micros.addingSaturated(-micros)
  }

  /// Whether an event of the history at some of its places passes a filter.
  private mutating func hasEvent(
    _ filter: CheckedExpression, among places: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> Bool {
    if places.isEmpty { return false }
    let wanted = plan.wantedColumns(filter.columnNames)
    return filter.trueRows(of: try columns(wanted, of: history[places], using: &context)).setBitCount > 0
  }

  // MARK: Columns

  /// The derived columns of the rows found, oldest first, by name.
  mutating func derivedColumns(using context: inout DecodingContext) throws(StoreError) -> [String: ArrowArray] {
    var columns: [String: ArrowArray] = [:]
    if let actions = merging?.actions, let name = merging?.definition.actions?.name { columns[name] = actions }
    if !reading.computers.isEmpty { columns.merge(try historyColumns(using: &context)) { first, _ in first } }
    return columns
  }

  private mutating func historyColumns(
    using context: inout DecodingContext
  ) throws(StoreError) -> [String: ArrowArray] {
    var names = [SystemColumns.ts]
    for name in reading.computers.flatMap(\.inputs) where !names.contains(name) { names.append(name) }
    let events = try columns(plan.wantedColumns(names), of: history[...], using: &context)
    let rows = foundRows
    let values = reading.computers.map { $0.values(events, users: [0..<events.rowCount], rows: rows) }
    return Dictionary(uniqueKeysWithValues: zip(reading.computers.map(\.column.name), values))
  }

  /// The places of the rows found among the history, both oldest first.
  private var foundRows: Buffer {
    var places = BufferBuilder(capacity: found.count * 4)
    var next = found.count - 1
    for (place, row) in history.reversed().enumerated() where next >= 0 && row.id == found[next].id {
      places.append(Int32(place))
      next -= 1
    }
    return places.finish()
  }
}
