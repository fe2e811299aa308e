import Arrow
import Buffers
import JSONText
import Parquet
import TestSupport
import Testing

/// The files of Apache's parquet-testing, against the rows that pyarrow reads from them.
@Suite struct ParquetConformanceTests {
  static let folder = "conformance/parquet-testing"

  /// What is refused, and a word of the reason.
  static let refused: [String: String] = [
    "data/large_string_map.brotli.parquet": "BROTLI",
    "data/rle-dict-uncompressed-corrupt-checksum.parquet": "checksum",
    "bad_data/ARROW-GH-41317.parquet": "corrupt",
    "bad_data/ARROW-GH-47662.parquet": "needs",
    "bad_data/ARROW-RS-GH-6229-LEVELS.parquet": "needs",
  ]

  static let files: [String] =
    SharedData.root == nil
    ? []
    : SharedData.files(in: folder, suffix: ".parquet").map { String($0.dropFirst(folder.count + 1)) }

  static func rows(_ name: String) throws -> [JSONValue] {
    let reader = try ParquetReader(Buffer(mapping: SharedData.root! + "/\(folder)/\(name)"))
    let values = PyarrowValue(rawTimes: name.contains("nested_structs.rust"))
    var rows: [JSONValue] = []
    try reader.forEachBatch(limit: 500) { batch in
      for row in 0..<batch.rowCount {
        var object: [String: JSONValue] = [:]
        for (field, column) in zip(batch.schema.fields, batch.columns) {
          object[field.name] = values.value(column, row)
        }
        rows.append(.object(object))
      }
    }
    return rows
  }

  @Test(arguments: files) func fileIsReadToTheExpectedRowsOrRefused(name: String) throws {
    if let reason = Self.refused[name] {
      let error = #expect(throws: (any Error).self) { try Self.rows(name) }
      #expect(error.map { "\($0)".contains(reason) } ?? false, "\(error.map { "\($0)" } ?? "")")
      return
    }
    let rows = try Self.rows(name)
    let expectation = "\(Self.folder)/expected.pyarrow/\(name.replacing("/", with: "__")).ndjson"
    guard let path = SharedData.path(expectation), let text = SharedData.contents(of: path) else { return }
    let lines = text.split(separator: UInt8(ascii: "\n"))
    #expect(rows.count == lines.count || (lines.count == 2_000 && rows.count > 2_000))
    for (index, line) in lines.enumerated() where index < rows.count {
      let expected = try JSONValue(parsing: String(decoding: line, as: UTF8.self))
      guard isSame(rows[index], expected) else {
        Issue.record("row \(index): \(rows[index].text) is not \(expected.text)")
        return
      }
    }
  }

  @Test(arguments: SharedData.root == nil ? [] : SharedData.files(in: folder, suffix: ".encrypted"))
  func encryptedFileIsRefused(path: String) throws {
    #expect(throws: (any Error).self) {
      let reader = try ParquetReader(SharedData.bytes(path))
      try reader.forEachBatch { _ in }
    }
  }

  /// Absent keys of the expectation are nulls.
  @Test(.enabled(if: SharedData.root != nil)) func blogsAreReadToTheirDocument() throws {
    let folder = SharedData.root! + "/conformance/arrow-testing/parquet"
    let document = SharedData.contents(of: folder + "/generated_simple_numerics/blogs.json") ?? []
    let expected = try JSONValue(parsing: String(decoding: document, as: UTF8.self)).array ?? []
    let reader = try ParquetReader(Buffer(mapping: folder + "/generated_simple_numerics/blogs.parquet"))
    let batch = try reader.read(rowGroup: 0)
    #expect(batch.rowCount == expected.count)
    for (row, blog) in expected.enumerated() {
      #expect(PyarrowValue().value(batch.columns[1], row) == blog["blog_id"] ?? .null)
      let reply: JSONValue? = blog["reply"].map {
        .object(["reply_id": $0["reply_id"] ?? .null, "next_id": $0["next_id"] ?? .null])
      }
      #expect(PyarrowValue().value(batch.columns[0], row) == reply ?? .null)
    }
  }

  /// Its v2 pages are compressed although they say they are not.
  @Test(.enabled(if: SharedData.root != nil)) func mislabelledPagesAreRead() throws {
    let path = SharedData.root! + "/conformance/arrow-testing/parquet/ARROW-17100.parquet"
    let batch = try ParquetReader(Buffer(mapping: path)).read(rowGroup: 0)
    #expect((0..<3).map { PyarrowValue().value(batch.columns[0], $0) } == [1, 2, 3])
    #expect((0..<3).map { PyarrowValue().value(batch.columns[1], $0) } == ["a", "b", "c"])
    #expect((0..<2).map { PyarrowValue().value(batch.columns[3], $0) } == ["a", "a"])
  }
}
