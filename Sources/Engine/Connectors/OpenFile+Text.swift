import Buffers
import Glibc

extension OpenFile {
  /// The whole of a file as text; `-` is standard input. Bytes that are not UTF-8 become U+FFFD.
  package static func text(of path: String) throws(SystemError) -> String {
    try OpenFile(reading: path).contents().text
  }

  /// Makes `text` the whole of a file; `-` is standard output.
  ///
  /// Readers see the old text or the new, never a part: it is written beside the file, which it then replaces. Only
  /// links, pipes and devices are written to as they are.
  package static func replaceText(of path: String, with text: String) throws(SystemError) {
    let isFile = path != "-" && !isDevice(path)
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

  /// Whether there is something at `path` that is no regular file.
  private static func isDevice(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }
}
