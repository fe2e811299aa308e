import Glibc
import Synchronization

/// Waits until files or directories change, by inotify; where that cannot be had, callers look at intervals.
package final class FileWatcher: Sendable {
  private let inotify: Int32
  private let wakeUp: (reading: Int32, writing: Int32)
  private let stopped = Atomic(false)

  package init() throws(SystemError) {
    inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemError("create", "pipe") }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    wakeUp = (ends[0], ends[1])
  }

  deinit {
    for descriptor in [inotify, wakeUp.reading, wakeUp.writing] where descriptor >= 0 { close(descriptor) }
  }

  /// Wakes up when names in a directory change.
  /// - Returns: whether the system watches it.
  package func watch(directory: String) -> Bool {
    add(directory, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) >= 0
  }

  /// Wakes up when bytes of an open file change, whatever it is called.
  /// - Returns: what to give to `forget`; nil when the system does not watch it.
  package func watch(_ file: OpenFile) -> Int32? {
    let watch = add("/proc/self/fd/\(file.descriptor)", IN_MODIFY)
    return watch >= 0 ? watch : nil
  }

  package func forget(_ watch: Int32) { _ = inotify_rm_watch(inotify, watch) }

  private func add(_ path: String, _ events: Int32) -> Int32 {
    inotify < 0 ? -1 : unsafe inotify_add_watch(inotify, path, UInt32(events))
  }

  /// Returns when something changed, `stop` was called, or the time is over.
  /// - Returns: whether names in a directory may have changed, and not only bytes of files.
  @discardableResult package func wait(milliseconds: Int) -> Bool {
    var requests = [wakeUp.reading, inotify].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&requests, nfds_t(requests.count), Int32(milliseconds)) > 0 else { return false }
    if requests[0].revents != 0 { _ = takeEvents(of: wakeUp.reading) { _ in } }
    var namesChanged = false
    if requests[1].revents != 0 {
      while takeEvents(of: inotify, { if $0 != UInt32(IN_MODIFY) { namesChanged = true } }) {}
    }
    return namesChanged
  }

  /// Reads what lies ready.
  ///
  /// - Parameter note: is told the mask of each of inotify's events.
  /// - Returns: whether there may be more.
  private func takeEvents(of descriptor: Int32, _ note: (UInt32) -> Void) -> Bool {
    unsafe withUnsafeTemporaryAllocation(byteCount: Self.eventByteCount, alignment: 8) { room in
      let count = unsafe read(descriptor, room.baseAddress, room.count)
      var position = 0
      while position + Self.eventHeaderByteCount <= count {
        // struct inotify_event: int32 watch, uint32 mask, uint32 cookie, uint32 byte count of the name that follows
        note(unsafe room.load(fromByteOffset: position + 4, as: UInt32.self))
        position += Self.eventHeaderByteCount + Int(unsafe room.load(fromByteOffset: position + 12, as: UInt32.self))
      }
      return count > Self.eventByteCount / 2
    }
  }

  private static let eventHeaderByteCount = 16
  private static let eventByteCount = 4 << 10

  /// Whether `stop` was called.
  package var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Makes `wait` return, now or when it is called next.
  package func stop() {
    stopped.store(true, ordering: .releasing)
    var byte: UInt8 = 1
    _ = unsafe write(wakeUp.writing, &byte, 1)
  }
}
