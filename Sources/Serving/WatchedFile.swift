import Glibc

/// A file that others replace while it is in use.
struct WatchedFile: Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  /// Differs when the file may have other content; nil when it cannot be said now.
  var stamp: String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return "\(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }

  /// The directory whose changes call for a look.
  var directory: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
