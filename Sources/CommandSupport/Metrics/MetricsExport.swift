import Engine
import Glibc

/// Shows a stage's metrics to whoever asks while it runs: over HTTP, in a file, or both.
package final class MetricsExport: Sendable {
  private static let secondsBetweenWrites = 5.0

  package let metrics: StageMetrics
  private let listener: MetricsListener?
  private let file: MetricsFile?
  private let report: @Sendable (String) -> Void
  private let isOver = Monitor(false)
  private let writer: pthread_t?

  /// - Parameter report: told what people should know.
  /// - Throws: when the address or the file cannot be used.
  package init(
    _ metrics: StageMetrics, listenAt address: SocketAddress?, file path: String?,
    report: @escaping @Sendable (String) -> Void
  ) throws(SystemError) {
    self.metrics = metrics
    self.report = report
    let file = path.map { MetricsFile($0) }
    self.file = file
    try file?.write(metrics.text)
    listener = if let address { try MetricsListener(address) { metrics.text } } else { nil }
    if let address = listener?.address { report("metrics on http://\(address)/metrics") }
    let isOver = isOver
    writer = file.map { file in
      startThread { Self.keepWriting(file, metrics, until: isOver, report) }
    }
  }

  private static func keepWriting(
    _ file: MetricsFile, _ metrics: StageMetrics, until isOver: Monitor<Bool>, _ report: (String) -> Void
  ) {
    var hasFailed = false
    while !isOver.wait(until: { $0 }, seconds: secondsBetweenWrites, then: { $0 }) {
      do throws(SystemError) {
        try file.write(metrics.text)
        hasFailed = false
      } catch {
        if !hasFailed { report("\(error); the stage goes on") }
        hasFailed = true
      }
    }
  }

  /// Writes the file for the last time.
  package func finish() {
    isOver.update { $0 = true }
    if let writer { pthread_join(writer, nil) }
    do throws(SystemError) { try file?.write(metrics.text) } catch { report("\(error)") }
  }
}
