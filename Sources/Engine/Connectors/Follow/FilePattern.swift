import Glibc

/// A path to follow, or a glob of such paths.
struct FilePattern {
  let text: String
  let isGlob: Bool
  /// The directory that names appear in; of a glob with wildcards in directories, the one above the first of them.
  let directory: String

  init(_ text: String) {
    self.text = text
    let plain = text.prefix { !"*?[".contains($0) }
    isGlob = plain.count < text.count
    let parts = plain.split(separator: "/", omittingEmptySubsequences: false)
    let directory = parts.dropLast().joined(separator: "/")
    self.directory = directory.isEmpty ? text.hasPrefix("/") ? "/" : "." : directory
  }

  /// The paths that are there now, in the order of names.
  func paths() -> [String] { isGlob ? SourceFiles.glob(text) : [text] }

  /// The path by which positions know a file: absolute, with no links among its directories.
  static func absolute(_ path: String) -> String {
    let (directory, name) = split(path)
    guard let real = unsafe realpath(directory, nil) else { return path }
    defer { unsafe free(real) }
    let base = unsafe String(cString: real)
    return base == "/" ? "/" + name : base + "/" + name
  }

  /// The directory and the name.
  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
  }
}

/// A path to follow that leads to a directory, a pipe or a device.
package struct NoRegularFile: Error, CustomStringConvertible {
  package var path: String

  package var description: String { "\(path): is no regular file, so it cannot be followed; give it without --follow" }
}

/// A file that is compressed or no text, and in which therefore no position can be gone on from.
package struct NoFollowableText: Error, CustomStringConvertible {
  package var path: String

  package var description: String {
    "\(path): is no plain text, so there is no place in it to go on from; give it without --follow and --resume"
  }
}
