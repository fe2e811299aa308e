import Glibc

/// A fresh directory that is removed, with all it holds, when the last reference to it goes.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() {
    let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    path = "\(base)/seqline-test-\(getpid())-\(UInt64.random(in: .min ... .max))"
    precondition(unsafe mkdir(path, 0o700) == 0, "cannot make \(path)")
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    for name in SharedData.names(in: path) { remove("\(path)/\(name)") }
    if unsafe rmdir(path) != 0 { unsafe unlink(path) }
  }

  /// Writes a file below the directory.
  public func write(_ text: String, to name: String) {
    let file = unsafe fopen("\(path)/\(name)", "w")
    precondition(unsafe file != nil, "cannot write \(path)/\(name)")
    unsafe fputs(text, file)
    unsafe fclose(file)
  }
}
