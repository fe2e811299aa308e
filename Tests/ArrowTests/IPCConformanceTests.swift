import Arrow
import Buffers
import JSONText
import TestSupport
import Testing

@Suite(.enabled(if: SharedData.isPresent, "the conformance suites are absent"))
struct IPCConformanceTests {
  static let folder = "conformance/arrow-testing/arrow-ipc-stream/integration"
  /// The streams with uncompressed buffers; `FramesTests` reads the others.
  static let streams = SharedData.files(in: folder, suffix: ".stream").filter { !$0.contains("2.0.0-compression") }

  /// What of the suite has a type that is not read, and the type's name.
  static let refused = [
    "interval": "interval[year_month]", "interval_mdn": "interval[month_day_nano]", "union": "sparse_union",
    "decimal256": "decimal256", "decimal32": "decimal32", "binary_view": "binary_view",
    "list_view": "list_view",
  ]

  @Test(arguments: streams)
  func aGoldStreamReadsAsItsDocumentSays(path: String) throws {
    let expected = try Self.expectation(of: path)
    let name = String(path.split(separator: "/").last!.dropFirst("generated_".count).dropLast(".stream".count))
    if let type = Self.refused[name] {
      let error = #expect(throws: IPCError.self) { try IPCStreamDecoder.decode(SharedData.bytes(path)) }
      #expect(error?.reason == .unsupportedType(type))
      return
    }
    let options = IPCDecodingOptions(validatesText: true)
    let (schema, batches) = try IPCStreamDecoder.decode(SharedData.bytes(path), options: options)
    #expect(schema == expected.schema)
    #expect(expected.difference(from: batches) == nil)
    let (again, copies) = try IPCStreamDecoder.decode(IPCStreamEncoder.encode(schema: schema, batches: batches))
    #expect(again == schema)
    #expect(expected.difference(from: copies) == nil)
  }

  @Test(arguments: SharedData.files(in: "conformance/arrow-testing/fuzz/arrow-ipc-stream"))
  func aFuzzedStreamIsRefusedOrReadable(path: String) throws {
    guard let (_, batches) = try? IPCStreamDecoder.decode(SharedData.bytes(path)) else { return }
    for batch in batches {
      for column in batch.columns { for row in 0..<min(column.count, 1_000) { _ = column.value(at: row) } }
    }
  }

  static func expectation(of path: String) throws -> IntegrationJSON {
    let json = SharedData.root! + "/" + path.dropLast(".stream".count) + ".json.gz"
    let text = try Tool.run(Tool.find("zcat")!, [json]).output
    return IntegrationJSON(try JSONValue(parsing: text.bytes))
  }
}
