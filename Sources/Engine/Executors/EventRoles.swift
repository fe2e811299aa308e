import Arrow
import ArrowKernels
import Buffers
import Definitions

/// The columns of raw events that play the fixed roles, in the types that event batches have.
struct EventRoles {
  let user: ArrowArray
  let ts: ArrowArray
  let seenAt: ArrowArray
  let ids: ArrowArray
  let revision: ArrowArray
  /// Which rows have a revision above 0; nil when none has.
  let corrections: Bitmap?

  /// - Parameter raw: whole raw events of `source`.
  init(_ source: SourceDefinition, _ raw: RecordBatch) {
    func column(_ path: FieldPath) -> ArrowArray { raw[path.columnName]!.decoded() }
    user = Self.user(column(source.user))
    ts = column(source.ts)
    // Without a time of arrival an event counts as seen when it happened, so that a rerun gives the same bytes.
    seenAt = source.arrival.map { Self.filled(column($0), from: column(source.ts)) } ?? ts
    ids = column(source.id)
    (revision, corrections) = Self.revisions(source.revision.map(column), count: raw.rowCount)
  }

  private init(_ roles: EventRoles, rows: Buffer) {
    user = roles.user.take(rows)
    ts = roles.ts.take(rows)
    seenAt = roles.seenAt.isIdentical(to: roles.ts) ? ts : roles.seenAt.take(rows)
    ids = roles.ids.take(rows)
    revision = roles.revision.take(rows)
    corrections = roles.corrections.map { bits in
      Bitmap(rows.span(of: Int32.self).indices.map { bits[Int(rows.load($0, as: Int32.self))] })
    }
  }

  /// In microseconds since 1970; nil without rows.
  var newestArrival: Int64? {
    let times = seenAt.values.span(of: Int64.self)
    var newest: Int64?
    for row in times.indices { newest = max(newest ?? .min, times[row]) }
    return newest
  }

  /// The roles of the given rows (Int32 each).
  func take(_ rows: Buffer) -> EventRoles { EventRoles(self, rows: rows) }

  /// Users are int64 or strings.
  private static func user(_ column: ArrowArray) -> ArrowArray {
    guard column.type.isInteger, column.type != .int64 else { return column }
    return ArrowArray(
      .int64, count: column.count, validity: column.validity, storage: .fixed(Buffer(column.widenedIntegers)))
  }

  /// `column` with the values of `other` where it has none.
  private static func filled(_ column: ArrowArray, from other: ArrowArray) -> ArrowArray {
    guard column.nullCount > 0 else { return column }
    var values = FixedWidthBuilder<Int64>(capacity: column.count)
    for row in 0..<column.count {
      values.append((column.isValid(row) ? column : other).values.load(row, as: Int64.self))
    }
    return values.take(as: column.type)
  }

  /// Revisions as int32, 0 where there is none; beyond its range they stick to its end.
  private static func revisions(_ column: ArrowArray?, count: Int) -> (ArrowArray, Bitmap?) {
    guard let column else {
      return (ArrowArray(.int32, count: count, storage: .fixed(Buffer(zeroes: count * 4))), nil)
    }
    var values = FixedWidthBuilder<Int32>(capacity: count)
    var corrections = BitmapBuilder(capacity: count)
    for (row, revision) in column.widenedIntegers.enumerated() {
      let value = column.isValid(row) ? Int32(clamping: max(0, revision)) : 0
      values.append(value)
      corrections.append(value > 0)
    }
    let hasCorrections = corrections.clearBitCount < count
    return (values.take(as: .int32), hasCorrections ? corrections.finish() : nil)
  }
}
