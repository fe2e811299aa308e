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
  package func wait(milliseconds: Int) {
    var requests = [wakeUp.reading, inotify].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&requests, nfds_t(requests.count), Int32(milliseconds)) > 0 else { return }
    for descriptor in [wakeUp.reading, inotify] where descriptor >= 0 { Self.drain(descriptor) }
  }

  private static func drain(_ descriptor: Int32) {
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    while unsafe read(descriptor, &bytes, bytes.count) == bytes.count {}
  }

  /// Whether `stop` was called.
  package var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Makes `wait` return, now or when it is called next.
  package func stop() {
    stopped.store(true, ordering: .releasing)
    var byte: UInt8 = 1
    _ = unsafe write(wakeUp.writing, &byte, 1)
  }
}
