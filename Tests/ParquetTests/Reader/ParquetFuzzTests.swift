import Buffers
import Foundation
import Parquet
import TestSupport
import Testing

/// Inputs that must be refused or read, never trap, hang or take memory without bound.
///
/// `SEQLINE_FUZZ_ROUNDS` damages each file that many times instead of a few.
@Suite struct ParquetFuzzTests {
  private static let rounds = ProcessInfo.processInfo.environment["SEQLINE_FUZZ_ROUNDS"].flatMap(Int.init)

  private static let valid: [String] =
    SharedData.root == nil
    ? [] : SharedData.files(in: "conformance/parquet-testing/data", suffix: ".parquet")

  private static let fuzzed: [String] =
    SharedData.root == nil ? [] : SharedData.files(in: "conformance/arrow-testing/fuzz/parquet")

  /// Reads all of a file within tight limits; answers whether that went well.
  private static func reads(_ bytes: Buffer) -> Bool {
    var options = ReadOptions()
    options.pageByteLimit = 1 << 24
    options.batchByteLimit = 1 << 26
    // Damage is to get past them.
    options.verifiesChecksums = false
    do {
      let reader = try ParquetReader(bytes, options: options)
      try reader.forEachBatch(limit: 4_096) { _ in }
      for group in 0..<reader.file.rowGroupCount {
        let pages = try reader.file.pageIndex(
          bytes, rowGroup: group, boundsOf: Array(reader.file.schema.leaves.indices))
        let count = reader.file.metadata.rowGroups[group].rowCount
        _ = try reader.read(rowGroup: group, rows: count / 3..<count / 2, pages: pages)
      }
      return true
    } catch {
      return false
    }
  }

  private static func damaged(_ original: Buffer, _ random: inout SeededRandom) -> Buffer {
    var bytes = BufferBuilder(capacity: original.byteCount)
    bytes.append(original)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0..<original.byteCount, using: &random)
      bytes.overwrite(UInt8.random(in: 0...255, using: &random), atByteOffset: place)
    }
    return bytes.finish()
  }

  @Test(arguments: fuzzed) func fuzzInputIsRefusedOrRead(path: String) throws {
    _ = Self.reads(try SharedData.bytes(path))
  }

  @Test(arguments: valid) func damagedFileIsRefusedOrRead(path: String) throws {
    let original = try SharedData.bytes(path)
    guard original.byteCount < 100_000 else { return }
    var random = SeededRandom(seed: 7)
    for _ in 0..<(Self.rounds ?? 40) { _ = Self.reads(Self.damaged(original, &random)) }
  }

  @Test(arguments: PeerFiles.names) func damagedFileOfAnotherToolIsRefusedOrRead(name: String) throws {
    let original = try Buffer(mapping: PeerFiles.directory!.path + "/" + name)
    var random = SeededRandom(seed: 9)
    for _ in 0..<(Self.rounds ?? 2) { _ = Self.reads(Self.damaged(original, &random)) }
  }

  @Test(arguments: valid) func truncatedFileIsRefused(path: String) throws {
    let original = try SharedData.bytes(path)
    var random = SeededRandom(seed: 8)
    for _ in 0..<10 {
      let count = Int.random(in: 0..<original.byteCount, using: &random)
      #expect(!Self.reads(original.slice(0..<count)))
    }
  }
}
