import Buffers
import Engine
import Glibc

/// The file operations of a live log's writer. Another implementation can lose, tear and refuse what it likes.
package protocol LiveFiles: Sendable {
  /// Makes a directory and those above it.
  func makeDirectory(_ path: String) throws(SystemError)
  /// What a directory holds, in any order.
  func names(in directory: String) throws(SystemError) -> [String]
  /// Opens a file for reading and writing; makes it when it is not there.
  func open(_ path: String) throws(SystemError) -> any LiveFile
  func remove(_ path: String) throws(SystemError)
  /// Makes the names in a directory outlast a crash.
  func syncDirectory(_ path: String) throws(SystemError)
}

/// An open file of a live log; closes itself.
package protocol LiveFile: AnyObject, Sendable {
  func byteCount() throws(SystemError) -> Int
  /// Up to `byteCount` bytes: fewer only at the file's end.
  func read(at byteOffset: Int, byteCount: Int) throws(SystemError) -> Buffer
  /// Writes all of `bytes`; when it throws, a part may be there.
  func write(_ bytes: Buffer, at byteOffset: Int) throws(SystemError)
  func truncate(to byteCount: Int) throws(SystemError)
  /// Makes the content outlast a crash.
  func sync() throws(SystemError)
  /// Takes the lock that the file stands for, until it is closed; answers whether nobody else has it.
  func lock() throws(SystemError) -> Bool
}

/// The operating system's files.
package struct SystemLiveFiles: LiveFiles {
  package init() {}

  package func makeDirectory(_ path: String) throws(SystemError) {
    do { try StoreDirectory.make(path) } catch { throw Self.systemError(error, path) }
  }

  package func names(in directory: String) throws(SystemError) -> [String] {
    do { return try StoreDirectory.names(in: directory) } catch { throw Self.systemError(error, directory) }
  }

  package func open(_ path: String) throws(SystemError) -> any LiveFile { try SystemLiveFile(path) }

  package func remove(_ path: String) throws(SystemError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
  }

  package func syncDirectory(_ path: String) throws(SystemError) {
    do { try StoreDirectory.sync(path) } catch { throw Self.systemError(error, path) }
  }

  private static func systemError(_ error: StoreError, _ path: String) -> SystemError {
    if case .system(let error) = error { error } else { SystemError("use", path, code: EIO) }
  }
}

private final class SystemLiveFile: LiveFile {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws(SystemError) {
    self.path = path
    descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw SystemError("open", path) }
  }

  deinit { close(descriptor) }

  func byteCount() throws(SystemError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError("examine", path) }
    return Int(status.st_size)
  }

  func read(at byteOffset: Int, byteCount: Int) throws(SystemError) -> Buffer {
    var bytes = BufferBuilder(capacity: byteCount)
    try unsafe bytes.appendUnsafely(capacity: byteCount) { room throws(SystemError) in
      var filled = 0
      while filled < byteCount {
        let count = unsafe pread(descriptor, room.baseAddress! + filled, byteCount - filled, off_t(byteOffset + filled))
        if count == 0 { break }
        if count < 0, errno != EINTR { throw SystemError("read", path) }
        filled += max(count, 0)
      }
      return filled
    }
    return bytes.finish()
  }

  func write(_ bytes: Buffer, at byteOffset: Int) throws(SystemError) {
    try unsafe bytes.withUnsafeBytes { source throws(SystemError) in
      var written = 0
      while written < source.count {
        let rest = unsafe source.baseAddress! + written
        let count = unsafe pwrite(descriptor, rest, source.count - written, off_t(byteOffset + written))
        if count < 0, errno != EINTR { throw SystemError("write", path) }
        written += max(count, 0)
      }
    }
  }

  func truncate(to byteCount: Int) throws(SystemError) {
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw SystemError("truncate", path) }
  }

  func sync() throws(SystemError) {
    guard fdatasync(descriptor) == 0 else { throw SystemError("sync", path) }
  }

  func lock() throws(SystemError) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw SystemError("lock", path) }
    }
    return true
  }
}

extension SystemError {
  /// No room is left: some may come.
  var isFull: Bool { code == ENOSPC || code == EDQUOT }
}
