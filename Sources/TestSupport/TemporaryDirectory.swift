import Glibc
import Synchronization

/// A fresh directory that is removed, with all it holds, when the last reference to it goes or the process ends.
public final class TemporaryDirectory: Sendable {
  public let path: String

  /// - Parameter isInMemory: for what writes and syncs much, and is not about the disk: in memory where the system has a
  ///   place there, unless `TMPDIR` names one.
  public init(isInMemory: Bool = false) {
    let hasMemory = unsafe access("/dev/shm", W_OK) == 0 && isInMemory
    let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? (hasMemory ? "/dev/shm" : "/tmp")
    path = "\(base)/seqline-test-\(getpid())-\(UInt64.random(in: .min ... .max))"
    precondition(unsafe mkdir(path, 0o700) == 0, "cannot make \(path)")
    Self.present.withLock { _ = $0.insert(path) }
  }

  deinit {
    Self.remove(path)
    Self.present.withLock { _ = $0.remove(path) }
  }

  /// The directories that are there. What a static property holds is never freed: that is removed when the tests end.
  private static let present: Mutex<Set<String>> = {
    atexit { TemporaryDirectory.present.withLock { $0.forEach(TemporaryDirectory.remove) } }
    return Mutex([])
  }()

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
