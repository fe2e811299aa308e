import Buffers
import Parquet
import TestSupport
import Testing

/// Inputs that must be refused or read, never trap, hang or take memory without bound.
@Suite struct ParquetFuzzTests {
  /// Reads all of a file within tight limits; answers whether that went well.
  static func reads(_ bytes: Buffer) -> Bool {
    var options = ReadOptions()
    options.pageByteLimit = 1 << 24
    options.batchByteLimit = 1 << 26
    do {
      let reader = try ParquetReader(bytes, options: options)
      try reader.forEachBatch(limit: 4_096) { _ in }
      for group in 0..<reader.file.rowGroupCount {
        _ = try reader.file.pageIndex(bytes, rowGroup: group, withBounds: true)
      }
      return true
    } catch {
      return false
    }
  }

  @Test(arguments: SharedData.root == nil ? [] : SharedData.files(in: "conformance/arrow-testing/fuzz/parquet"))
  func fuzzInputIsRefusedOrRead(path: String) throws {
    _ = Self.reads(try SharedData.bytes(path))
  }

  @Test(
    arguments: SharedData.root == nil
      ? [] : SharedData.files(in: "conformance/parquet-testing/data", suffix: ".parquet"))
  func flippedByteIsRefusedOrRead(path: String) throws {
    let original = try SharedData.bytes(path)
    guard original.byteCount < 100_000 else { return }
    var random = SeededRandom(seed: 7)
    for _ in 0..<60 {
      var bytes = BufferBuilder(capacity: original.byteCount)
      bytes.append(original)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<original.byteCount, using: &random)
        bytes.overwrite(UInt8.random(in: 0...255, using: &random), atByteOffset: place)
      }
      _ = Self.reads(bytes.finish())
    }
  }

  @Test(
    arguments: SharedData.root == nil
      ? [] : SharedData.files(in: "conformance/parquet-testing/data", suffix: ".parquet"))
  func truncatedFileIsRefused(path: String) throws {
    let original = try SharedData.bytes(path)
    var random = SeededRandom(seed: 8)
    for _ in 0..<20 {
      let count = Int.random(in: 0..<original.byteCount, using: &random)
      #expect(!Self.reads(original.slice(0..<count)))
    }
  }
}
