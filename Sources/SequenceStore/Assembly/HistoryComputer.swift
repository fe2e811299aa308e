import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Computes a column that depends on the events before each event of the same sequence: a counter, a session, a gap.
///
/// It sees all events of the sequence, not only those that are given out, so a value does not depend on where an answer
/// was cut. `HistoryComputer+LookBack.swift` says how far back it must see for that.
struct HistoryComputer: Sendable {
  let column: HistoryColumn
  let filter: CheckedExpression?

  /// - Throws: the filter's errors.
  init(_ column: HistoryColumn, _ schema: Schema) throws(ExpressionErrors) {
    self.column = column
    let text: String? =
      switch column.computation {
      case .counter(_, _, let filter, _), .gap(let filter): filter
      case .session: nil
      }
    if let text { filter = try Expression.compile(text, schema: schema) } else { filter = nil }
  }

  /// The columns that are read, besides `ts`.
  var inputs: [String] {
    let names = filter?.columnNames ?? []
    if case .counter(_, let input?, _, _) = column.computation { return names + [input] }
    return names
  }

  /// - Parameters:
  ///   - events: with the columns `ts` and `inputs`.
  ///   - users: each user's rows of `events`: all events of the sequence, in order.
  ///   - rows: Int32 each, ascending: the events whose values are wanted.
  /// - Returns: a value for each of `rows`.
  func values(_ events: RecordBatch, users: [Range<Int>], rows: Buffer) -> ArrowArray {
    let histories = EventHistories(
      times: events[SystemColumns.ts]!.values, users: users, rows: rows,
      isCounted: filter?.evaluate(batch: events).trueRows)
    switch column.computation {
    case .session(let gap): return histories.sessionStarts(gapMicros: gap)
    case .gap: return histories.gaps()
    case .counter(let aggregate, let input, _, let window):
      guard let input, let values = events[input] else { return histories.counts(windowMicros: window) }
      return histories.aggregate(values.decoded(), aggregate, as: column.type, windowMicros: window)
    }
  }
}

/// The events before each of some events, of the same user.
private struct EventHistories {
  let times: Buffer
  let users: [Range<Int>]
  /// Int32 each, ascending: the events whose values are wanted.
  let rows: Buffer
  /// The events that are counted; nil for all.
  let isCounted: Bitmap?

  private var rowCount: Int { rows.byteCount / 4 }

  private func counts(_ row: Int) -> Bool { isCounted?[row] ?? true }

  /// Calls `begin` before each user's first event, and for each event up to the user's last wanted one, oldest first,
  /// `give` if its value is wanted, then `add`.
  @inline(__always)
  private func walk(begin: (Int) -> Void, give: (Int) -> Void, add: (Int) -> Void) {
    let wanted = rows.span(of: Int32.self)
    var next = 0
    for user in users {
      guard next < wanted.count, Int(wanted[next]) < user.upperBound else { continue }
      begin(user.lowerBound)
      var row = user.lowerBound
      while next < wanted.count, Int(wanted[next]) < user.upperBound {
        while row < Int(wanted[next]) {
          add(row)
          row += 1
        }
        give(row)
        next += 1
      }
    }
  }

  /// The same over the events of each wanted event's window: `remove` is called for those that are too old for it.
  @inline(__always)
  private func walk(
    windowMicros: Int64?, begin: () -> Void, give: (Range<Int>) -> Void, add: (Int) -> Void, remove: (Int) -> Void
  ) {
    let times = times.span(of: Int64.self)
    var start = 0
    walk {
      start = $0
      begin()
    } give: { row in
      if let windowMicros {
        while start < row && times[row].isLater(than: times[start], by: windowMicros) {
          remove(start)
          start += 1
        }
      }
      give(start..<row)
    } add: { row in
      add(row)
    }
  }

  /// The time at which each event's session began.
  func sessionStarts(gapMicros: Int64) -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: rowCount)
    let times = times.span(of: Int64.self)
    var (start, last): (Int64, Int64?) = (0, nil)
    func goOn(_ row: Int) {
      if last.map({ times[row].isLater(than: $0, by: gapMicros) }) ?? true { start = times[row] }
    }
    walk { _ in
      last = nil
    } give: { row in
      goOn(row)
      output.append(start)
    } add: { row in
      goOn(row)
      last = times[row]
    }
    return output.take(as: .timestampMicrosUTC)
  }

  func gaps() -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: rowCount)
    let times = times.span(of: Int64.self)
    var last: Int64?
    walk { _ in
      last = nil
    } give: { row in
      let gap = last.map { times[row].subtractingReportingOverflow($0) }
      output.append(gap.flatMap { $0.overflow ? nil : $0.partialValue })
    } add: { row in
      if counts(row) { last = times[row] }
    }
    return output.take(as: .int64)
  }

  func counts(windowMicros: Int64?) -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: rowCount)
    var count: Int64 = 0
    walk(windowMicros: windowMicros) {
      count = 0
    } give: { _ in
      output.append(count)
    } add: {
      if counts($0) { count += 1 }
    } remove: {
      if counts($0) { count -= 1 }
    }
    return output.take(as: .int64)
  }

  /// The aggregate of the values that are not null: a sum of none is 0, a mean or extreme of none is null, a sum beyond
  /// int64 too.
  func aggregate(
    _ values: ArrowArray, _ aggregate: HistoryColumn.Aggregate, as type: DataType, windowMicros: Int64?
  ) -> ArrowArray {
    switch aggregate {
    case .count: counts(windowMicros: windowMicros)
    case .sum where type == .int64: integerSums(values, windowMicros)
    case .sum: floatSums(values, windowMicros, isMean: false)
    case .mean: floatSums(values, windowMicros, isMean: true)
    case .min: extremes(values, windowMicros) { $0 < 0 }
    case .max: extremes(values, windowMicros) { $0 > 0 }
    }
  }

  private func integerSums(_ values: ArrowArray, _ windowMicros: Int64?) -> ArrowArray {
    guard let values = try? values.cast(to: .int64, overflow: .null) else {
      return ArrowArray(nulls: .int64, count: rowCount)
    }
    var output = FixedWidthBuilder<Int64>(capacity: rowCount)
    var sum: Int128 = 0
    func value(_ row: Int) -> Int128 {
      counts(row) && values.isValid(row) ? Int128(values.values.load(row, as: Int64.self)) : 0
    }
    walk(windowMicros: windowMicros) {
      sum = 0
    } give: { _ in
      output.append(Int64(exactly: sum))
    } add: {
      sum += value($0)
    } remove: {
      sum -= value($0)
    }
    return output.take(as: .int64)
  }

  /// Sums from the oldest event of each window on, so that equal windows have equal sums to the last bit.
  private func floatSums(_ values: ArrowArray, _ windowMicros: Int64?, isMean: Bool) -> ArrowArray {
    guard let values = try? values.cast(to: .float64) else { return ArrowArray(nulls: .float64, count: rowCount) }
    var output = FixedWidthBuilder<Double>(capacity: rowCount)
    var (summed, sum, count): (Range<Int>, Double, Double) = (0..<0, 0, 0)
    walk(windowMicros: windowMicros) {
      summed = 0..<0
    } give: { window in
      if summed.isEmpty || summed.lowerBound != window.lowerBound {
        (summed, sum, count) = (window.lowerBound..<window.lowerBound, 0, 0)
      }
      for row in summed.upperBound..<window.upperBound where counts(row) && values.isValid(row) {
        sum += values.values.load(row, as: Double.self)
        count += 1
      }
      summed = window
      output.append(isMean ? (count > 0 ? sum / count : nil) : sum)
    } add: { _ in
    } remove: { _ in
    }
    return output.take(as: .float64)
  }

  /// - Parameter isBetter: of a comparison of a value with an earlier one.
  private func extremes(_ values: ArrowArray, _ windowMicros: Int64?, _ isBetter: (Int) -> Bool) -> ArrowArray {
    var best = BufferBuilder(capacity: rowCount * 4)
    // Of the window those that none after them is better than: the first is the best.
    var (candidates, first): ([Int], Int) = ([], 0)
    walk(windowMicros: windowMicros) {
      candidates.removeAll(keepingCapacity: true)
      first = 0
    } give: { _ in
      best.append(Int32(first < candidates.count ? candidates[first] : -1))
    } add: { row in
      guard counts(row) && values.isValid(row) else { return }
      while candidates.count > first, isBetter(values.compare(row, values, candidates.last!)) {
        candidates.removeLast()
      }
      candidates.append(row)
    } remove: { row in
      if first < candidates.count, candidates[first] == row { first += 1 }
    }
    return values.take(best.finish())
  }
}

extension Int64 {
  /// Whether more than `micros` lie between.
  func isLater(than other: Int64, by micros: Int64) -> Bool {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? self > other : difference > micros
  }

  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
