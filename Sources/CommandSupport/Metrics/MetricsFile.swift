import Buffers
import Engine
import Glibc

/// Writes metrics to a file for the node exporter's textfile collector, which reads it at any moment: it is written under
/// another name, beside it, and renamed.
package struct MetricsFile: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package func write(_ text: String) throws(SystemError) {
    // The collector reads what ends in `.prom`.
    let temporary = "\(path).\(getpid()).tmp"
    do throws(SystemError) {
      let file = try OpenFile(writing: temporary)
      try unsafe file.write(Array(text.utf8).span.bytes)
      guard unsafe rename(temporary, path) == 0 else { throw SystemError("rename to", path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }
}
