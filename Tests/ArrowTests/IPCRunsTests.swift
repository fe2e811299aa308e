import Arrow
import Buffers
import Foundation
import JSONText
import TestSupport
import Testing

/// Run-end encoded columns.
@Suite struct IPCRunsTests {
  /// A column of runs: value n as often as `lengths[n]` says, which is not 0.
  private static func runs(_ values: ArrowArray, _ lengths: [Int]) -> ArrowArray {
    let numbers = lengths.enumerated().flatMap { run, count in [Int32](repeating: Int32(run), count: count) }
    return ArrowArray(
      .dictionary(index: .int32, value: values.type, isOrdered: false), count: numbers.count,
      storage: .dictionary(indices: Buffer(numbers), values: values))
  }

  private static func batch(_ users: ArrowArray) -> RecordBatch {
    let numbers = (0..<users.count).map { Int64($0) }
    return RecordBatch(
      Schema([Field("user", users.type), Field("n", .int64)]), [users, ArrowArray(.int64, numbers)],
      rowCount: users.count)
  }

  private static func encode(_ batches: [RecordBatch]) -> Buffer {
    var encoder = IPCStreamEncoder(batches[0].schema, runs: ["user"])
    var bytes = BufferBuilder()
    for batch in batches {
      encoder.append(batch)
      bytes.append(encoder.take())
    }
    encoder.end()
    bytes.append(encoder.take())
    return bytes.finish()
  }

  private static var samples: [RecordBatch] {
    let texts = ArrowArray(["anna", "", "bob", "zoë"])
    return [
      batch(runs(texts, [1, 1, 3, 2])), batch(runs(texts, [1, 1, 300, 2]).slice(1..<200)),
      batch(runs(texts, [1, 2, 3, 4]).slice(0..<0)),
    ]
  }

  @Test func runsAreWrittenAsRunsAndReadAsADictionary() throws {
    let stream = Self.encode(Self.samples)
    let (schema, batches) = try IPCStreamDecoder.decode(stream, options: IPCDecodingOptions(validatesText: true))
    #expect(schema == Self.samples[0].schema)
    #expect(batches.map(\.allRows) == Self.samples.map(\.allRows))
    let numbers = Self.batch(Self.runs(ArrowArray(.int64, [7, -1, .max] as [Int64?]), [5_000, 1, 9_000]))
    let encoded = Self.encode([numbers])
    #expect(encoded.byteCount < 14_001 * 8 + 2_000)
    #expect(try IPCStreamDecoder.decode(encoded).batches[0].allRows == numbers.allRows)
  }

  @Test func damagedRunsAreRefusedOrRead() {
    let stream = Self.encode(Self.samples)
    let bytes = unsafe stream.withUnsafeBytes { unsafe Array($0) }
    for place in bytes.indices {
      for change: UInt8 in [0x01, 0x80, 0xFF] {
        var damaged = bytes
        damaged[place] ^= change
        let options = IPCDecodingOptions(maximumByteCount: 1 << 20)
        guard let (_, batches) = try? IPCStreamDecoder.decode(Buffer(damaged), options: options) else { continue }
        for batch in batches where !batch.columns.isEmpty {
          for row in 0..<min(batch.rowCount, 20) { _ = batch.columns[0].value(at: row) }
        }
      }
    }
  }

  @Test(.enabled(if: SharedData.python != nil, "no Python with pyarrow is set up")) func pyarrowReadsAndWritesRuns()
    throws
  {
    let folder = TemporaryDirectory()
    let ours = unsafe Self.encode(Self.samples).withUnsafeBytes { unsafe Data($0) }
    try ours.write(to: URL(fileURLWithPath: folder.path + "/ours.arrow"))
    let text = try runPython(
      SharedData.python!,
      """
      import json, sys, pyarrow as pa, pyarrow.ipc, pyarrow.compute as pc
      folder = sys.argv[1]
      table = pa.ipc.open_stream(folder + "/ours.arrow").read_all()
      table.validate(full=True)
      assert pa.types.is_run_end_encoded(table.schema.field("user").type), table.schema
      chunks = table.column("user").chunks
      assert [len(chunk.values) for chunk in chunks] == [4, 2, 0], chunks
      users = [user for chunk in chunks for user in pc.run_end_decode(chunk).to_pylist()]
      arrays = [
          pc.run_end_encode(pa.array(["a", "a", None, "b", "b", "b"]), pa.int16()),
          pc.run_end_encode(pa.array([1.5, 1.5, 1.5, 2.5, None, None]), pa.int64()),
          pc.run_end_encode(pa.array([9, 8, 8, 8, 7, 7]))]
      theirs = pa.table(arrays, names=["a", "b", "c"])
      with pa.ipc.new_stream(folder + "/theirs.arrow", theirs.schema) as writer:
          writer.write_table(theirs)
      print(json.dumps(users))
      """, [folder.path])
    let users = Self.samples.flatMap(\.allRows).map { $0["user"] ?? .null }
    #expect(try JSONValue(parsing: text) == .array(users))
    let theirs = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/theirs.arrow"))
    let batches = try IPCStreamDecoder.decode(Buffer(Array(theirs))).batches
    let rows = batches.flatMap(\.allRows)
    #expect(rows.map { $0["a"] ?? .null } == ["a", "a", .null, "b", "b", "b"])
    #expect(rows.map { $0["b"] ?? .null } == [1.5, 1.5, 1.5, 2.5, .null, .null])
    #expect(rows.map { $0["c"] ?? .null } == [9, 8, 8, 8, 7, 7])
  }
}
