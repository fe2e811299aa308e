import Buffers
import Glibc

/// A file descriptor that is read or written with blocking calls.
struct Device: Sendable {
  let fileDescriptor: Int32
  let isPipe: Bool
  let isRegularFile: Bool

  init(_ fileDescriptor: Int32) {
    self.fileDescriptor = fileDescriptor
    var status = stat()
    let answer = unsafe fstat(fileDescriptor, &status)
    let kind = status.st_mode & S_IFMT
    isPipe = answer == 0 && kind == S_IFIFO
    isRegularFile = answer == 0 && kind == S_IFREG
  }

  /// Lets a pipe hold 1 MiB, a frame, instead of 64 KiB; the system may refuse, which does no harm.
  func enlargePipe() {
    if isPipe { _ = fcntl(fileDescriptor, Self.setPipeSize, 1 << 20) }
  }

  /// `F_SETPIPE_SZ` of `<fcntl.h>`, which Swift's Glibc module leaves out.
  private static let setPipeSize: Int32 = 1031

  /// - Returns: how many bytes came, 0 at the end.
  func read(into room: UnsafeMutableRawBufferPointer, byteOffset: Int) throws(FrameError) -> Int {
    while true {
      let count = unsafe Glibc.read(fileDescriptor, room.baseAddress, room.count)
      if count >= 0 { return count }
      try wait(for: Int16(POLLIN), after: "read", byteOffset: byteOffset)
    }
  }

  func write(_ bytes: Buffer, byteOffset: Int) throws(FrameError) {
    try unsafe bytes.withUnsafeBytes { source throws(FrameError) in
      var written = 0
      while written < source.count {
        let count = unsafe Glibc.write(fileDescriptor, source.baseAddress! + written, source.count - written)
        if count >= 0 {
          written += count
        } else {
          try wait(for: Int16(POLLOUT), after: "write", byteOffset: byteOffset + written)
        }
      }
    }
  }

  /// Returns when a failed call is to be tried again: it was interrupted, or somebody made the descriptor non-blocking.
  private func wait(for events: Int16, after call: String, byteOffset: Int) throws(FrameError) {
    switch errno {
    case EINTR: return
    case EAGAIN:
      var request = pollfd(fd: fileDescriptor, events: events, revents: 0)
      _ = unsafe poll(&request, 1, -1)
    case EPIPE: throw FrameError(.brokenPipe, byteOffset: byteOffset)
    case let code: throw FrameError(.system(call: call, code: code), byteOffset: byteOffset)
    }
  }
}
