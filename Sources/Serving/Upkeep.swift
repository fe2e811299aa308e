import Engine

/// Does what must be done when the store changes, on a thread of its own, so that no request waits for it.
///
/// inotify says when directories change; where that cannot be had, and for directories that are not there yet, it looks
/// twice a second.
package final class Upkeep: Sendable {
  private let watcher: FileWatcher

  /// - Parameters:
  ///   - directories: those that matter now.
  ///   - report: told what goes wrong with a job, once until something else does or it goes right again.
  package init(
    watching directories: @escaping @Sendable () -> [String], _ jobs: [@Sendable () throws -> Void],
    report: @escaping @Sendable (any Error) -> Void
  ) throws {
    let watcher = try FileWatcher()
    self.watcher = watcher
    _ = startThread {
      var failures = jobs.map { _ in "" }
      while !watcher.isStopped {
        for directory in directories() { _ = watcher.watch(directory: directory) }
        for (index, job) in jobs.enumerated() {
          do {
            try job()
            failures[index] = ""
          } catch {
            let failure = "\(error)"
            if failure != failures[index] { report(error) }
            failures[index] = failure
          }
        }
        watcher.wait(milliseconds: 500)
      }
    }
  }

  package func stop() { watcher.stop() }
}
