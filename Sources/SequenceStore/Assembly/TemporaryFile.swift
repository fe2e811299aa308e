import Engine
import Glibc

/// A file without a name: gone when the process ends, however it ends.
final class TemporaryFile: Sendable {
  let descriptor: Int32
  /// The directory it lies in, for messages.
  let directory: String

  init(in directory: String) throws(SystemError) {
    self.directory = directory
    var template = Array("\(directory)/seqline-XXXXXX".utf8CString)
    descriptor = unsafe template.withUnsafeMutableBufferPointer { name in
      let descriptor = unsafe mkstemp(name.baseAddress!)
      if descriptor >= 0 { unsafe unlink(name.baseAddress!) }
      return descriptor
    }
    if descriptor < 0 { throw SystemError("create a temporary file there", directory) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  /// Goes back to the first byte.
  func rewind() throws(SystemError) {
    if lseek(descriptor, 0, SEEK_SET) < 0 { throw SystemError("read a temporary file there", directory) }
  }
}
