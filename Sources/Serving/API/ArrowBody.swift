import Arrow
import ArrowKernels
import Buffers
import Definitions
import JSONColumns
import SequenceStore

/// An answer as an Arrow stream. What it says of the data is the schema's metadata; texts are dictionaries.
///
/// Of several users it has two columns more, run-end encoded: `seq.user`, and `seq.cut`, why the user has not more events.
/// A user without events has no row.
struct ArrowBody: PiecewiseBody {
  static let userColumn = "seq.user"
  static let cutColumn = "seq.cut"

  /// Rows of a user, by the user's number.
  private struct Part {
    var user: Int
    var rows: Range<Int>
  }

  private let answer: SequenceAnswer
  private var encoder: IPCStreamEncoder
  private let schema: Schema
  private var place = Part(user: 0, rows: 0..<0)
  private var isBegun = false
  private var isOver = false

  init(_ answer: SequenceAnswer) {
    self.answer = answer
    var schema = answer.users[0].events.schema
    for index in schema.fields.indices {
      if let type = answer.otherType(of: schema.fields[index].type) { schema.fields[index].type = type }
    }
    if !answer.isSingle { schema.fields = Self.userFields(answer.userType) + schema.fields }
    schema.metadata = answer.contract.metadata
    self.schema = schema
    encoder = IPCStreamEncoder(
      schema, runs: answer.isSingle ? [] : [Self.userColumn, Self.cutColumn], metadata: answer.metadata)
  }

  private static func userFields(_ type: DataType) -> [Field] {
    [(userColumn, type), (cutColumn, .utf8)].map { name, type in
      Field(name, .dictionary(index: .int32, value: type, isOrdered: false), isNullable: false)
    }
  }

  mutating func whole() throws(StoreError) -> Buffer {
    encoder.append(try batch(rowCount: .max))
    encoder.end()
    return encoder.take()
  }

  mutating func next() throws(StoreError) -> Buffer? {
    if isOver { return nil }
    let rows = try batch(rowCount: SequenceAnswer.pieceRowCount)
    if rows.rowCount > 0 || !isBegun { encoder.append(rows) }
    isBegun = true
    isOver = place.user == answer.users.count
    if isOver { encoder.end() }
    return encoder.take()
  }

  /// So many rows as come next.
  private mutating func batch(rowCount: Int) throws(StoreError) -> RecordBatch {
    if let pieces = answer.users[0].pieces { return try batch(of: pieces, rowCount: rowCount) }
    if answer.isSingle, place.rows.isEmpty, answer.users[0].rowCount <= rowCount {
      place.user = 1
      return stated(answer.users[0].events)
    }
    var (parts, count): ([Part], Int) = ([], 0)
    while place.user < answer.users.count, count < rowCount {
      let total = answer.users[place.user].events.rowCount
      let start = place.rows.upperBound
      let rows = start..<min(total, start + min(rowCount - count, total))
      if !rows.isEmpty { parts.append(Part(user: place.user, rows: rows)) }
      count += rows.count
      place = rows.upperBound == total ? Part(user: place.user + 1, rows: 0..<0) : Part(user: place.user, rows: rows)
    }
    let batches = parts.map { answer.users[$0.user].events.slice($0.rows) }
    let events = batches.isEmpty ? answer.users[0].events.slice(0..<0) : RecordBatch.concatenate(batches)
    let columns = events.columns.map { answer.stated($0) }
    return RecordBatch(schema, (answer.isSingle ? [] : userColumns(parts)) + columns, rowCount: count)
  }

  private mutating func batch(of pieces: EventPieces, rowCount: Int) throws(StoreError) -> RecordBatch {
    let events = try pieces.next(rowCount) ?? answer.users[0].events
    let end = place.rows.upperBound + events.rowCount
    place = Part(user: end == pieces.rowCount ? 1 : 0, rows: end..<end)
    return stated(events)
  }

  private func stated(_ events: RecordBatch) -> RecordBatch {
    RecordBatch(schema, events.columns.map { answer.stated($0) }, rowCount: events.rowCount)
  }

  private func userColumns(_ parts: [Part]) -> [ArrowArray] {
    var runs = BufferBuilder()
    for (run, part) in parts.enumerated() { runs.append(repeating: Int32(run), count: part.rows.count) }
    let indices = runs.finish()
    let users = parts.map { answer.users[$0.user] }
    let cuts = users.map { user in user.cutNames.joined(separator: ",") }
    let keys =
      answer.userType == .int64 ? ArrowArray(.int64, users.map { Int64($0.text) }) : ArrowArray(users.map(\.text))
    return zip(schema.fields, [keys, ArrowArray(cuts)]).map { field, values in
      ArrowArray(field.type, count: indices.byteCount / 4, storage: .dictionary(indices: indices, values: values))
    }
  }
}

extension SequenceAnswer {
  /// What the schema's metadata says of this answer alone.
  fileprivate var metadata: [(key: String, value: String)] {
    var metadata = contract.ownMetadata
    if isSingle {
      metadata.append(("seq.cut", users[0].cutText))
      metadata.append(("seq.live", String(users[0].liveRowCount)))
    }
    metadata.append(("seq.until", rfc3339(untilMicros)))
    return metadata
  }

  /// How a column of a type is stated; nil: as it is.
  fileprivate func otherType(of type: DataType) -> DataType? {
    switch type {
    case .utf8, .dictionary(_, .utf8, _): .textDictionary
    case .timestamp where timestamps != .rfc3339: .int64
    default: nil
    }
  }

  /// A column as it is stated.
  fileprivate func stated(_ column: ArrowArray) -> ArrowArray {
    switch column.type {
    case .utf8: column.inDictionary()
    case .dictionary(_, .utf8, _): column.withIndices(as: .int32)
    case .timestamp where timestamps != .rfc3339: column.integers(in: timestamps)
    default: column
    }
  }
}

extension ArrowArray {
  /// Timestamps in microseconds as a number of whole units since 1970, rounded down.
  fileprivate func integers(in form: JSONTimestampForm) -> ArrowArray {
    let perUnit: Int64 = form == .seconds ? 1_000_000 : form == .millis ? 1_000 : 1
    if perUnit == 1 { return retyped(.int64) }
    let micros = values.span(of: Int64.self)
    var units = BufferBuilder(capacity: count * 8)
    for row in 0..<count {
      let (quotient, rest) = micros[row].quotientAndRemainder(dividingBy: perUnit)
      units.append(rest < 0 ? quotient - 1 : quotient)
    }
    return ArrowArray(.int64, count: count, validity: validity, storage: .fixed(units.finish()))
  }
}
