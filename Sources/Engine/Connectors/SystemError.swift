import Glibc

/// A call to the operating system that failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// What was being done, as in "cannot read".
  package var action: String
  package var path: String
  package var code: Int32

  package init(_ action: String, _ path: String, code: Int32 = errno) {
    self.action = action
    self.path = path
    self.code = code
  }

  /// The reader of a pipe left.
  package var isBrokenPipe: Bool { code == EPIPE }

  package var description: String {
    let reason = unsafe String(cString: strerror(code))
    let remedy =
      switch code {
      case ENOSPC: "; free some space and run again"
      case EMFILE: "; let the process open more, with ulimit -n"
      default: ""
      }
    return "\(path): cannot \(action): \(reason)\(remedy)"
  }
}

/// An open file that closes itself.
package final class OpenFile: Sendable {
  package let descriptor: Int32
  package let path: String
  private let closes: Bool

  /// Opens `path` for reading; `-` is standard input.
  package init(reading path: String) throws(SystemError) {
    self.path = path == "-" ? "standard input" : path
    closes = path != "-"
    descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw SystemError("open", path) }
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw SystemError("read", path, code: EISDIR)
    }
  }

  /// Creates `path`, or empties it, for writing; `-` is standard output.
  package init(writing path: String, appending: Bool = false) throws(SystemError) {
    self.path = path == "-" ? "standard output" : path
    closes = path != "-"
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (appending ? O_APPEND : O_TRUNC)
    descriptor = path == "-" ? STDOUT_FILENO : unsafe open(path, flags, 0o644)
    if descriptor < 0 { throw SystemError("create", path) }
  }

  deinit { if closes { close(descriptor) } }

  /// The size of a regular file; nil for a pipe or a device.
  package var regularSize: Int? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Reads up to `memory.count` bytes from where the file stands, waiting for at least one; 0 at the end.
  package func read(into memory: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    while true {
      let count = unsafe Glibc.read(descriptor, memory.baseAddress, memory.count)
      if count >= 0 { return count }
      if errno != EINTR { throw SystemError("read", path) }
    }
  }

  /// Fills `memory` with the bytes from `byteOffset` on; answers fewer only at the file's end.
  package func read(into memory: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(SystemError) -> Int {
    var filled = 0
    while filled < memory.count {
      let room = unsafe memory.baseAddress! + filled
      let count = unsafe pread(descriptor, room, memory.count - filled, off_t(byteOffset + filled))
      if count == 0 { break }
      if count < 0, errno != EINTR { throw SystemError("read", path) }
      filled += max(count, 0)
    }
    return filled
  }

  /// Has the system fetch bytes of a regular file, those that it does not have in memory, without waiting for them.
  package func fetch(_ range: Range<Int>) {
    _ = posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
  }

  /// Writes all of `bytes`.
  package func write(_ bytes: RawSpan) throws(SystemError) {
    try unsafe bytes.withUnsafeBytes { memory throws(SystemError) in
      var written = 0
      while written < memory.count {
        let count = unsafe Glibc.write(descriptor, memory.baseAddress! + written, memory.count - written)
        if count < 0, errno != EINTR { throw SystemError("write", path) }
        written += max(count, 0)
      }
    }
  }

  /// Whether a read would answer at once.
  package var isReadable: Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe Glibc.poll(&poll, 1, 0) > 0
  }
}
