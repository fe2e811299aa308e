import Arrow
import Expressions
import Glibc
import TestSupport
import Testing

/// Rows per second of frequent expressions over batches of 64 Ki rows, in a release build; only with
/// `SEQLINE_BENCHMARK` set.
@Suite(.enabled(if: unsafe getenv("SEQLINE_BENCHMARK") != nil), .serialized)
struct SpeedTests {
  private static let rowCount = 1 << 16

  @Test(arguments: [
    "dwell >= 1000", "wide < 500", "price > 0.5", "wide == other", "kind == 'pin_save'", "kind != 'pin_save'",
    "kind == 'a text of twenty-two'", "kind in ['pin_save', 'pin_click', 'view']",
    "kind in ['a', 'b', 'c', 'd', 'e', 'f', 'pin_save', 'view']", "coded == 'pin_save'", "wide in [1, 2, 3, 5, 8]",
    "wide in [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21]", "ts >= timestamp('1970-01-01T00:00:00Z')", "maybe >= 1000",
    "kind == 'pin_save' && maybe >= 1000", "kind == 'pin_save' && kind.matches('save$')",
    "wide + other", "wide * 2 + 1", "price * 2.0", "kind.startsWith('pin_')",
    "kind.contains('save')", "kind.matches('^pin_.*')", "size(kind)", "kind + '!'", "wide > 3 ? wide : other",
    "ts.getHours()", "ts - duration('1h')", "ints.exists(x, x > 900)", "ints.filter(x, x > 500)", "string(wide)",
  ])
  func rowsPerSecond(text: String) throws {
    let batch = Self.batch()
    let expression = try Expression.compile(text, schema: batch.schema)
    var best = Double.infinity
    for _ in 0..<30 {
      let start = Self.now()
      let result = expression.evaluate(batch: batch)
      best = min(best, Self.now() - start)
      #expect(result.array.count == Self.rowCount)
    }
    print("expressions/\(text): \(Int(Double(Self.rowCount) / best / 1e6)) M rows/s")
  }

  private static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func batch() -> RecordBatch {
    var random = SeededRandom(seed: 7)
    let kinds = ["pin_save", "pin_click", "view", "board_create", "a text of twenty-two"]
    let numbers = (0..<rowCount).map { _ in Int64.random(in: 0..<1_000, using: &random) }
    let texts = (0..<rowCount).map { _ in kinds.randomElement(using: &random)! }
    let kind = ArrowArray(texts.map { Optional($0) })
    let indices = texts.map { Int8(kinds.firstIndex(of: $0)!) }
    let columns: [(String, ArrowArray)] = [
      ("wide", ArrowArray(.int64, numbers.map { Optional($0) })),
      ("other", ArrowArray(.int64, numbers.reversed().map { Optional($0) })),
      ("dwell", ArrowArray(.int32, numbers.map { Optional(Int32($0) * 2) })),
      ("maybe", ArrowArray(.int32, numbers.map { $0 % 5 == 0 ? nil : Int32($0) * 2 })),
      ("price", ArrowArray(.float64, numbers.map { Optional(Double($0) / 1_000) })), ("kind", kind),
      (
        "coded",
        ArrowArray(
          .dictionary(index: .int8, value: .utf8, isOrdered: false), count: rowCount,
          storage: .dictionary(indices: .init(indices), values: ArrowArray(kinds.map { Optional($0) })))
      ),
      ("ts", ArrowArray(.timestampMicrosUTC, numbers.map { Optional($0 * 1_000_000_000) })),
      (
        "ints",
        ArrowArray(
          .list(Field("item", .int64)), count: rowCount,
          storage: .list(
            offsets: .init((0...rowCount).map { Int32($0) }), child: ArrowArray(.int64, numbers.map { Optional($0) })))
      ),
    ]
    return RecordBatch(Schema(columns.map { Field($0.0, $0.1.type) }), columns.map(\.1))
  }
}
