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

  /// Fills `vectors`, which are not empty, one after the other.
  /// - Returns: how many bytes came, 0 at the end.
  func read(into vectors: [iovec], byteOffset: Int) throws(FrameError) -> Int {
    while true {
      let count = unsafe vectors.withUnsafeBufferPointer { vectors in
        unsafe readv(fileDescriptor, vectors.baseAddress, Int32(min(vectors.count, Self.vectorLimit)))
      }
      if count >= 0 { return count }
      try wait(for: Int16(POLLIN), after: "read", byteOffset: byteOffset)
    }
  }

  /// Writes `pieces`, none of them empty, one after the other.
  func write(_ pieces: [Buffer], byteOffset: Int) throws(FrameError) {
    var vectors: [iovec] = unsafe []
    unsafe vectors.reserveCapacity(pieces.count)
    for piece in pieces { unsafe vectors.append(vector(piece)) }
    var next = 0
    var written = 0
    while unsafe next < vectors.count {
      let part = unsafe vectors[next..<min(next + Self.vectorLimit, vectors.count)]
      let count = unsafe part.withUnsafeBufferPointer { unsafe writev(fileDescriptor, $0.baseAddress, Int32($0.count)) }
      if count < 0 {
        try wait(for: Int16(POLLOUT), after: "write", byteOffset: byteOffset + written)
      } else {
        written += count
        unsafe skip(count, in: &vectors, from: &next)
      }
    }
    // SAFETY: the vectors point into the pieces, which must live until here.
    withExtendedLifetime(pieces) {}
  }

  private func vector(_ piece: Buffer) -> iovec {
    unsafe piece.withUnsafeBytes { bytes in
      unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
  }

  /// Takes `byteCount` written bytes off the vectors from `next` on.
  private func skip(_ byteCount: Int, in vectors: inout [iovec], from next: inout Int) {
    var rest = byteCount
    while unsafe next < vectors.count && rest >= vectors[next].iov_len {
      rest -= unsafe vectors[next].iov_len
      next += 1
    }
    if rest > 0 {
      unsafe vectors[next].iov_base += rest
      unsafe vectors[next].iov_len -= rest
    }
  }

  /// `IOV_MAX`: so many pieces the system takes at once.
  private static let vectorLimit = 1024

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
