import Buffers
import Definitions

extension DefinitionSet {
  /// Reads the compiled definitions from a file.
  package static func load(_ path: String) throws -> DefinitionSet {
    let bytes = try OpenFile(reading: path).contents()
    let text = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    return try DefinitionSet(parsing: text, file: path)
  }
}

extension OpenFile {
  /// Everything from where the file stands to its end.
  package func contents() throws(SystemError) -> Buffer {
    var bytes = BufferBuilder(capacity: (regularSize ?? 0) + 1)
    while true {
      let before = bytes.byteCount
      try unsafe bytes.appendUnsafely(capacity: 1 << 20) { room throws(SystemError) in try unsafe read(into: room) }
      if bytes.byteCount == before { return bytes.finish() }
    }
  }
}
