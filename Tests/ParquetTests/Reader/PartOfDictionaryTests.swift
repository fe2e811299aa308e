import Arrow
import ArrowKernels
import Buffers
import Parquet
import Testing

@Suite struct PartOfDictionaryTests {
  @Test(arguments: [false, true])
  func rowsWithinAPageAreTheSameAsDictionary(hasNulls: Bool) throws {
    let words = ["a", "bb", "c"]
    let texts = (0..<3_000).map { row -> String? in
      if hasNulls && row % 7 == 3 { return nil }
      return words[row * row % 11 % 3]
    }
    let schema = Schema([Field("text", .utf8, isNullable: hasNulls)])
    var context = ParquetEncoderContext()
    var writer = try ParquetWriter(schema: schema)
    try writer.append(RecordBatch(schema, [ArrowArray(texts)]), using: &context)
    var bytes = BufferBuilder()
    for buffer in try writer.finish(using: &context).bytes { bytes.append(buffer) }
    var options = ReadOptions()
    options.dictionaryColumns = ["text"]
    let reader = try ParquetReader(bytes.finish(), options: options)
    let pages = try reader.file.pageIndex(reader.source, rowGroup: 0)
    for start in stride(from: 0, to: 2_900, by: 97) {
      let part = try reader.read(rowGroup: 0, rows: start..<start + 100, pages: pages).columns[0].decoded()
      #expect(part.isEqual(to: ArrowArray(Array(texts[start..<start + 100]))))
    }
  }
}
