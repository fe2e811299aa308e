import Arrow
import Buffers
import JSONText
import Parquet
import TestSupport
import Testing

/// Files as pyarrow, DuckDB and Polars write them: types, encodings, codecs, page versions, nulls and nesting.
@Suite struct PeerFileTests {
  static func open(_ name: String) throws -> ParquetReader<Buffer> {
    try ParquetReader(Buffer(mapping: PeerFiles.directory!.path + "/" + name))
  }

  static func expected(_ name: String) throws -> [JSONValue] {
    let path = PeerFiles.directory!.path + "/" + name.dropLast(".parquet".count) + ".ndjson"
    let lines = SharedData.contents(of: path)?.split(separator: UInt8(ascii: "\n")) ?? []
    return try lines.map { try JSONValue(parsing: String(decoding: $0, as: UTF8.self)) }
  }

  static func object(_ batch: RecordBatch, _ row: Int) -> JSONValue {
    let values = zip(batch.schema.fields, batch.columns).map { ($0.name, PyarrowValue().value($1, row)) }
    return .object(Dictionary(values) { _, last in last })
  }

  @Test(arguments: PeerFiles.names) func fileIsReadToTheRowsItsWriterMeant(name: String) throws {
    let expected = try Self.expected(name)
    var next = 0
    try Self.open(name).forEachBatch(limit: 777) { batch in
      for row in 0..<batch.rowCount {
        let actual = Self.object(batch, row)
        guard next < expected.count, isSame(actual, expected[next]) else {
          Issue.record("row \(next): \(actual.text) is not \(next < expected.count ? expected[next].text : "there")")
          throw ParquetError(.countMismatch("rows that differ", expected: 0, actual: 1))
        }
        next += 1
      }
    }
    #expect(next == expected.count)
  }
}
