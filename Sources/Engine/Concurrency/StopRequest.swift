import Glibc

/// The request that a run stop before its input ends. Reads that wait for input notice it.
@safe package final class StopRequest: Sendable {
  // SAFETY: both ends are this object's own; a byte that is written is never read, so that the request stays.
  private let readEnd: Int32
  private let writeEnd: Int32

  package init() {
    var ends: [Int32] = [-1, -1]
    let status = unsafe pipe(&ends)
    precondition(status == 0, "cannot make a pipe: \(unsafe String(cString: strerror(errno)))")
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  package func make() {
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd, &byte, 1)
  }

  package var isMade: Bool { isMade(withinMilliseconds: 0) }

  private func isMade(withinMilliseconds milliseconds: Int32) -> Bool {
    var request = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&request, 1, milliseconds) > 0
  }

  /// Whether the request is made now or in a moment: who stops a pipeline stops all its stages, and one may see its input
  /// end before its own signal comes.
  package var isImminent: Bool { isMade(withinMilliseconds: 200) }

  /// Waits until a read of `descriptor` would answer at once, or the request is made; answers whether to read.
  package func awaitInput(_ descriptor: Int32) -> Bool {
    let events = Int16(POLLIN)
    while true {
      var requests = [
        pollfd(fd: readEnd, events: events, revents: 0), pollfd(fd: descriptor, events: events, revents: 0),
      ]
      let count = unsafe poll(&requests, 2, -1)
      if count > 0 { return requests[0].revents == 0 }
      if count < 0, errno != EINTR { return true }  // the read will say what is wrong
    }
  }

  /// - Throws: `RunStopped` once the request is made.
  package func check() throws(RunStopped) {
    if isMade { throw RunStopped() }
  }
}

/// A run that had to be completed to be of use was stopped.
package struct RunStopped: Error, CustomStringConvertible {
  package init() {}

  package var description: String { "a signal stopped the run before its end" }
}
