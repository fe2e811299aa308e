import Buffers
import Glibc

extension OpenFile {
  /// The whole of a file as text; `-` is standard input. Bytes that are not UTF-8 become U+FFFD.
  package static func text(of path: String) throws(SystemError) -> String {
    let file = try OpenFile(reading: path)
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try file.read(into: &block)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += block[..<count]
    }
  }

  /// Makes `text` the whole of a file; `-` is standard output.
  ///
  /// Readers see the old text or the new, never a part: it is written beside the file, which it then replaces.
  package static func replaceText(of path: String, with text: String) throws(SystemError) {
    let isFile = path != "-"
    let temporary = isFile ? "\(path).\(getpid()).tmp" : path
    do throws(SystemError) {
      let bytes = Array(text.utf8)
      let file = try OpenFile(writing: temporary)
      try unsafe file.write(bytes.span.bytes)
      guard isFile else { return }
      guard fsync(file.descriptor) == 0 else { throw SystemError("write", path) }
      guard unsafe rename(temporary, path) == 0 else { throw SystemError("replace", path) }
    } catch {
      if isFile { unsafe unlink(temporary) }
      throw error
    }
  }

  /// Fills `block` from its start; answers how many bytes there were.
  private func read(into block: inout [UInt8]) throws(SystemError) -> Int {
    var memory = block.mutableSpan
    return try unsafe memory.withUnsafeMutableBytes { memory throws(SystemError) in try unsafe read(into: memory) }
  }
}
