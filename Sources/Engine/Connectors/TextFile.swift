import Buffers
import Frames

/// A file of compressed text, read as text.
final class TextFile {
  private let file: OpenFile
  private var decompressor: TextDecompressor
  private var hasEnded = false

  /// - Parameter prefix: bytes that were read already.
  init(_ file: OpenFile, prefix: Buffer, codec: TextCodec) {
    self.file = file
    decompressor = TextDecompressor(codec)
    decompressor.push(prefix)
  }

  /// Appends the next text; nothing at the end.
  func read(into text: inout BufferBuilder) throws {
    while !hasEnded {
      do {
        if try decompressor.pull(into: &text) > 0 { return }
      } catch {
        throw FileError(path: file.path, error: error)
      }
      var piece = BufferBuilder(capacity: 256 << 10)
      try unsafe piece.appendUnsafely(capacity: 256 << 10) { room throws(SystemError) in
        try unsafe file.read(into: room)
      }
      hasEnded = piece.byteCount == 0
      if hasEnded {
        do { try decompressor.finish() } catch { throw FileError(path: file.path, error: error) }
      } else {
        decompressor.push(piece.finish())
      }
    }
  }

  /// The text of a whole file, plain or compressed.
  static func contents(_ path: String) throws -> Buffer {
    let file = try OpenFile(reading: path)
    let bytes = try file.contents()
    guard case .compressed(let codec)? = InputFormat.detect(bytes, isWhole: true) else { return bytes }
    let reader = TextFile(file, prefix: bytes, codec: codec)
    var text = BufferBuilder(capacity: bytes.byteCount * 4)
    while !reader.hasEnded { try reader.read(into: &text) }
    return text.finish()
  }
}

/// What is wrong in a file, and which file.
package struct FileError: Error, CustomStringConvertible {
  package var path: String
  package var error: any Error

  package init(path: String, error: any Error) {
    self.path = path
    self.error = error
  }

  package var description: String { "\(path): \(error)" }
}
