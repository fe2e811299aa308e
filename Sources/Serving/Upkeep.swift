import Engine
import Glibc
import Synchronization

/// Looks for newer tables twice a second on a thread of its own, so that no request waits for a log to be read.
package final class Upkeep: Sendable {
  private let isOver = Atomic(false)

  /// - Parameters:
  ///   - report: told what goes wrong, once until it goes right again.
  ///   - refresh: looks for newer tables.
  package init(report: @escaping @Sendable (any Error) -> Void, refresh: @escaping @Sendable () throws -> Void) {
    _ = startThread { [self] in
      var hasFailed = false
      while !isOver.load(ordering: .relaxed) {
        usleep(500_000)
        do {
          try refresh()
          hasFailed = false
        } catch {
          if !hasFailed { report(error) }
          hasFailed = true
        }
      }
    }
  }

  package func stop() { isOver.store(true, ordering: .relaxed) }
}
