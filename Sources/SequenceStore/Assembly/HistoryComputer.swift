import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Computes the columns that depend on the events before each event of the same sequence: counters, sessions, gaps.
///
/// They see the sequence as it is given out, after length, caps and window: so serving, which holds no more than that,
/// computes the same.
struct HistoryComputer {
  private let column: HistoryColumn
  private let filter: CheckedExpression?

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

  /// The columns that are read.
  var inputs: [String] {
    let names = filter?.columnNames ?? []
    if case .counter(_, let input?, _, _) = column.computation { return names + [input] }
    return names
  }

  /// A value per event.
  /// - Parameter users: each user's rows of `events`, in order.
  func values(_ events: RecordBatch, times: Buffer, users: [Range<Int>]) -> ArrowArray {
    let isCounted = filter?.evaluate(batch: events).trueRows
    switch column.computation {
    case .session(let gap): return sessions(times, users, gapMicros: gap)
    case .gap: return gaps(times, users, isCounted)
    case .counter(let aggregate, let input, _, let window):
      let windows = EventWindows(times: times, users: users, isCounted: isCounted, windowMicros: window)
      guard let input, let values = events[input] else { return windows.counts() }
      return windows.aggregate(values.decoded(), aggregate, as: column.type)
    }
  }

  private func sessions(_ times: Buffer, _ users: [Range<Int>], gapMicros: Int64) -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: times.byteCount / 8)
    let times = times.span(of: Int64.self)
    for user in users {
      var session: Int64 = 1
      for row in user {
        if row > user.lowerBound && times[row].isLater(than: times[row - 1], by: gapMicros) { session += 1 }
        output.append(session)
      }
    }
    return output.take(as: .int64)
  }

  private func gaps(_ times: Buffer, _ users: [Range<Int>], _ isCounted: Bitmap?) -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: times.byteCount / 8)
    let times = times.span(of: Int64.self)
    for user in users {
      var last: Int64?
      for row in user {
        let gap = last.map { times[row].subtractingReportingOverflow($0) }
        output.append(gap.flatMap { $0.overflow ? nil : $0.partialValue })
        if isCounted?[row] ?? true { last = times[row] }
      }
    }
    return output.take(as: .int64)
  }
}

/// For every event the counted events before it, of the same user, within a length of time.
private struct EventWindows {
  let times: Buffer
  let users: [Range<Int>]
  let isCounted: Bitmap?
  let windowMicros: Int64?

  /// Calls `body` for every event, with the events of its window, oldest first; those not counted are among them.
  private func forEachWindow(_ body: (Range<Int>) -> Void) {
    let times = times.span(of: Int64.self)
    for user in users {
      var start = user.lowerBound
      for row in user {
        if let windowMicros {
          while start < row && times[row].isLater(than: times[start], by: windowMicros) { start += 1 }
        }
        body(start..<row)
      }
    }
  }

  private func isCounted(_ row: Int) -> Bool { isCounted?[row] ?? true }

  func counts() -> ArrowArray {
    var output = FixedWidthBuilder<Int64>(capacity: times.byteCount / 8)
    forEachWindow { window in
      output.append(Int64(isCounted == nil ? window.count : window.count(where: isCounted)))
    }
    return output.take(as: .int64)
  }

  /// The aggregate of the values that are not null: a sum of none is 0, a mean or extreme of none is null, a sum beyond
  /// int64 too.
  func aggregate(_ values: ArrowArray, _ aggregate: HistoryColumn.Aggregate, as type: DataType) -> ArrowArray {
    switch aggregate {
    case .count: return counts()
    case .sum: return type == .int64 ? integerSums(values) : floatSums(values, isMean: false)
    case .mean: return floatSums(values, isMean: true)
    case .min: return extremes(values) { $0 < 0 }
    case .max: return extremes(values) { $0 > 0 }
    }
  }

  private func integerSums(_ values: ArrowArray) -> ArrowArray {
    guard let values = try? values.cast(to: .int64, overflow: .null) else {
      return ArrowArray(nulls: .int64, count: values.count)
    }
    var output = FixedWidthBuilder<Int64>(capacity: values.count)
    forEachWindow { window in
      var sum: Int64? = 0
      for row in window where isCounted(row) && values.isValid(row) {
        let next = sum?.addingReportingOverflow(values.values.load(row, as: Int64.self))
        sum = next.flatMap { $0.overflow ? nil : $0.partialValue }
      }
      output.append(sum)
    }
    return output.take(as: .int64)
  }

  private func floatSums(_ values: ArrowArray, isMean: Bool) -> ArrowArray {
    guard let values = try? values.cast(to: .float64) else { return ArrowArray(nulls: .float64, count: values.count) }
    var output = FixedWidthBuilder<Double>(capacity: values.count)
    forEachWindow { window in
      var (sum, count) = (0.0, 0.0)
      for row in window where isCounted(row) && values.isValid(row) {
        sum += values.values.load(row, as: Double.self)
        count += 1
      }
      output.append(isMean ? (count > 0 ? sum / count : nil) : sum)
    }
    return output.take(as: .float64)
  }

  /// - Parameter isBetter: of a comparison with the best so far.
  private func extremes(_ values: ArrowArray, _ isBetter: (Int) -> Bool) -> ArrowArray {
    var best = BufferBuilder(capacity: values.count * 4)
    forEachWindow { window in
      var place = -1
      for row in window where isCounted(row) && values.isValid(row) {
        if place < 0 || isBetter(values.compare(row, values, place)) { place = row }
      }
      best.append(Int32(place))
    }
    return values.take(best.finish())
  }
}

extension Int64 {
  /// Whether more than `micros` lie between.
  fileprivate func isLater(than other: Int64, by micros: Int64) -> Bool {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? self > other : difference > micros
  }
}
