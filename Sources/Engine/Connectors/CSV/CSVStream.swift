import Buffers
import Definitions
import DeltaLog

/// Whole records of a CSV text, and where they came from.
package struct CSVBlock: Sendable {
  var source: String
  var names: [String]
  /// Of the first byte in the (decompressed) source.
  var byteOffset: Int
  /// How many lines of the source come before.
  var linesBefore: Int
  var bytes: Buffer
}

/// Cuts a CSV text into blocks of whole records. The first record names the columns.
package struct CSVStream: ~Copyable {
  private let source: String
  private var text: TextStream
  private var names: [String]?
  private var lineCount = 0

  /// - Parameter text: cut where records end.
  init(_ text: consuming TextStream, source: String) {
    self.source = source
    self.text = text
  }

  /// The next block; nil at the end.
  /// - Throws: `FileError` when the first record is none.
  mutating func next() throws -> CSVBlock? {
    guard let block = try text.next() else { return nil }
    var (bytes, byteOffset) = (block.bytes, block.byteOffset)
    if names == nil {
      let header = bytes.slice(CSVRecordEnds.records(of: bytes.bytes)[0])
      do { names = try Self.names(header) } catch { throw FileError(path: source, error: error) }
      lineCount += header.newlineCount
      byteOffset += header.byteCount
      bytes = bytes.slice(header.byteCount..<bytes.byteCount)
    }
    defer { lineCount += bytes.newlineCount }
    return CSVBlock(source: source, names: names ?? [], byteOffset: byteOffset, linesBefore: lineCount, bytes: bytes)
  }

  private static func names(_ header: Buffer) throws(CSVError) -> [String] {
    var cells = CSVCells(header.bytes)
    let names = try cells.nextRecord()?.map(\.text) ?? []
    for (place, name) in names.enumerated() where names[..<place].contains(name) {
      throw CSVError(line: 1, reason: .repeatedColumn(name))
    }
    return names
  }

  /// Whether a file's name says that it holds CSV, plain or compressed.
  package static func isNamed(by path: String) -> Bool {
    let name = [".gz", ".zst"].first { path.hasSuffix($0) }.map { path.dropLast($0.count) } ?? path[...]
    return name.hasSuffix(".csv")
  }
}

extension Buffer {
  var newlineCount: Int {
    unsafe withUnsafeBytes { bytes in unsafe bytes.count { $0 == UInt8(ascii: "\n") } }
  }
}
