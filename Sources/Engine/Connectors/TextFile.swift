import Buffers
import Frames

/// A file of compressed text, read as text.
final class TextFile {
  private let file: OpenFile
  private var decompressor: TextDecompressor
  private let mayRead: () -> Bool
  private var hasEnded = false

  /// - Parameters:
  ///   - prefix: bytes that were read already.
  ///   - mayRead: asked before each read, for which it may wait.
  init(_ file: OpenFile, prefix: Buffer, codec: TextCodec, mayRead: @escaping () -> Bool = { true }) {
    self.file = file
    self.mayRead = mayRead
    decompressor = TextDecompressor(codec)
    decompressor.push(prefix)
  }

  /// Whether a read of text would answer at once, as far as can be told.
  var isReadable: Bool { decompressor.mayHoldText || file.isReadable }

  /// Appends the next text; nothing at the end.
  /// - Throws: `InputStopped` when it may not read on.
  func read(into text: inout BufferBuilder) throws {
    while !hasEnded {
      do {
        if try decompressor.pull(into: &text) > 0 { return }
      } catch {
        throw FileError(path: file.path, error: error)
      }
      guard mayRead() else { throw InputStopped() }
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
