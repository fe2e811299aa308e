import Arrow
import ArrowKernels
import Buffers
import JSONText
import SequenceStore
import TestSupport

/// Random events with many duplicates, corrections and retractions.
struct EventFixture {
  static let embedding = DataType.fixedSizeList(Field("item", .float32), count: 3)

  let batch: RecordBatch

  /// - Parameter isStored: without the column `retracted`.
  init(count: Int, userType: DataType, seed: UInt64, isStored: Bool = false) {
    var random = SeededRandom(seed: seed)
    var fields: [Field] = []
    var columns: [ArrowArray] = []
    func add(_ name: String, _ column: ArrowArray, isNullable: Bool = false) {
      fields.append(Field(name, column.type, isNullable: isNullable))
      columns.append(column)
    }
    func integers(_ range: Range<Int64>) -> [Int64?] {
      (0..<count).map { _ in Int64.random(in: range, using: &random) }
    }
    let users = integers(-6..<6).map { $0! }
    add("user_id", userType == .int64 ? ArrowArray(.int64, users) : ArrowArray(users.map { "user \($0)" }))
    add("ts", ArrowArray(.timestampMicrosUTC, integers(-20..<20)))
    add("seen_at", ArrowArray(.timestampMicrosUTC, integers(0..<3)))
    let types = ["save", "click", "äpfel", "impression"]
    add("event_type", ArrowArray((0..<count).map { _ in types.randomElement(using: &random) }))
    add("event_key", ArrowArray(.int64, integers(-4..<4)))
    add("revision", ArrowArray(.int32, integers(0..<3).map { Int32($0!) }))
    if !isStored { add("retracted", ArrowArray(integers(0..<5).map { $0 == 0 })) }
    add("surface", random.array(.utf8, count: count), isNullable: true)
    add("embedding", Self.embeddings(count: count, &random), isNullable: true)
    add("tags", random.array(.list(Field("item", .utf8)), count: count), isNullable: true)
    let metadata = ["seq.kind": "event", "seq.event_type": "save"]
    batch = RecordBatch(Schema(fields, metadata: metadata), columns, rowCount: count)
  }

  private static func embeddings(count: Int, _ random: inout SeededRandom) -> ArrowArray {
    let codes = (0..<count).map { _ in Int16.random(in: 0..<7, using: &random) }
    return ArrowArray(
      .dictionary(index: .int16, value: embedding, isOrdered: false), count: count,
      validity: Bitmap((0..<count).map { _ in Bool.random(using: &random) }),
      storage: .dictionary(indices: Buffer(codes), values: random.array(embedding, count: 7, nullEvery: 0)))
  }

  /// The rows that hold, in order, found the plain way.
  func expectedRows(keepsRetractions: Bool) -> [JSONValue] {
    var winners: [[JSONValue]: Int] = [:]
    for row in 0..<batch.rowCount {
      let identity = ["user_id", "event_type", "event_key"].map { batch[$0]!.value(at: row) }
      guard let other = winners[identity] else {
        winners[identity] = row
        continue
      }
      let (ours, theirs) = (rank(row), rank(other))
      let isLower = hash(row) < hash(other)
      if ours == theirs ? isLower : ours.lexicographicallyPrecedes(theirs) { winners[identity] = row }
    }
    let order = ["user_id", "ts", "event_type", "event_key"].map { batch.schema.index(of: $0)! }
    return winners.values
      .filter { keepsRetractions || batch["retracted"]?.value(at: $0) != true }
      .sorted { batch.compare($0, batch, $1, by: order) < 0 }
      .map(batch.row)
  }

  /// The sum over the columns that are not null, each with its name; of those that say which event it is only the time, and
  /// retracted only where it is true.
  private func hash(_ row: Int) -> UInt64 {
    zip(batch.schema.fields, batch.columns).reduce(0) { sum, column in
      let (name, isFalse) = (column.0.name, column.1.value(at: row) == false)
      let isDecided = ["user_id", "seen_at", "event_type", "event_key", "revision"].contains(name)
      guard column.1.isValid(row), !isDecided, name != "retracted" || !isFalse else { return sum }
      let seed = name.utf8.reduce(UInt64(0)) { Hash64.combine($0, UInt64($1)) }
      return sum &+ Hash64.combine(seed, column.1.slice(row..<row + 1).hashes().load(0, as: UInt64.self))
    }
  }

  private func rank(_ row: Int) -> [Int64] {
    [-batch["revision"]!.value(at: row).integer!, batch["seen_at"]!.value(at: row).integer!]
  }

  /// The rows in another order, cut into batches of random sizes, some of them with other dictionaries.
  func shuffled(seed: UInt64) -> [RecordBatch] {
    var random = SeededRandom(seed: seed)
    let rows = (0..<Int32(batch.rowCount)).shuffled(using: &random)
    let whole = batch.take(Buffer(rows))
    var parts: [RecordBatch] = []
    var start = 0
    while start < whole.rowCount {
      let end = min(whole.rowCount, start + Int.random(in: 1...90, using: &random))
      let part = whole.slice(start..<end)
      parts.append(Bool.random(using: &random) ? part : part.compacted().droppingNullColumns())
      start = end
    }
    // At least one batch has all columns.
    return parts + [whole.slice(0..<0)]
  }
}

extension RecordBatch {
  /// Without the columns that have no value at all, as an event type without such columns brings it; the rest reversed.
  fileprivate func droppingNullColumns() -> RecordBatch {
    let kept = columns.indices.reversed().filter { columns[$0].nullCount < rowCount || rowCount == 0 }
    let schema = Schema(kept.map { self.schema.fields[$0] }, metadata: self.schema.metadata)
    return RecordBatch(schema, kept.map { columns[$0] }, rowCount: rowCount)
  }
}
