import Buffers
import Definitions

extension DefinitionSet {
  /// Reads the compiled definitions from a file.
  package static func load(_ path: String) throws -> DefinitionSet {
    try DefinitionSet(parsing: OpenFile.text(of: path), file: path)
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
