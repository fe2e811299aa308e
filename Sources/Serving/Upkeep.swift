import Engine
import Synchronization

/// Does what must be done when the store changes, on a thread of its own, so that no request waits for it.
///
/// inotify says when directories change; where that cannot be had, and for directories that are not there yet, it looks
/// twice a second.
package final class Upkeep: Sendable {
  private let watcher: FileWatcher
  private let jobs: [@Sendable () throws -> Void]
  private let report: @Sendable (any Error) -> Void
  /// What is wrong with each job, as it was reported; held while they run.
  private let failures: Mutex<[String]>

  /// - Parameters:
  ///   - directories: those that matter now.
  ///   - report: told what goes wrong with a job, once until something else does or it goes right again.
  package init(
    watching directories: @escaping @Sendable () -> [String], _ jobs: [@Sendable () throws -> Void],
    report: @escaping @Sendable (any Error) -> Void
  ) throws {
    let watcher = try FileWatcher()
    (self.watcher, self.jobs, self.report) = (watcher, jobs, report)
    failures = Mutex(jobs.map { _ in "" })
    _ = startThread { [self] in
      while !watcher.isStopped {
        for directory in directories() { _ = watcher.watch(directory: directory) }
        run()
        watcher.wait(milliseconds: 500)
      }
    }
  }

  /// Does everything now, on this thread.
  package func run() {
    failures.withLock { failures in
      for (index, job) in jobs.enumerated() {
        var failure = ""
        do { try job() } catch {
          failure = "\(error)"
          if failure != failures[index] { report(error) }
        }
        failures[index] = failure
      }
    }
  }

  /// Makes the next `run` report what is wrong though it was reported before.
  package func forgetFailures() { failures.withLock { $0 = jobs.map { _ in "" } } }

  package func stop() { watcher.stop() }
}
