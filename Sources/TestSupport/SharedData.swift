import Glibc

/// Test data that lies outside the repository: conformance suites and other engines' tables.
public enum SharedData {
  /// The directory named by `SEQLINE_SHARED`, or `shared` beside the package; nil when it is not there.
  public static let root: String? = {
    let beside = packageRoot.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/shared"
    let path = environment("SEQLINE_SHARED") ?? beside
    return exists(path) ? path : nil
  }()

  /// `path` below the root; nil, and a line on standard error, when it is not there.
  public static func path(_ path: String) -> String? {
    if let root, exists("\(root)/\(path)") { return "\(root)/\(path)" }
    let message = Array("skipped: no shared data at '\(path)'; set SEQLINE_SHARED\n".utf8)
    _ = unsafe write(STDERR_FILENO, message, message.count)
    return nil
  }

  /// The directory of `Package.swift`.
  public static let packageRoot = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

  /// The Python with the other engines, for tests against them; nil when there is none.
  public static let python: String? = {
    let path = environment("SEQLINE_PYTHON") ?? "\(packageRoot)/.venv/bin/python"
    return exists(path) ? path : nil
  }()

  /// The names in a directory, sorted; none when there is no directory.
  public static func names(in directory: String) -> [String] {
    guard let handle = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The whole file; nil when it cannot be read.
  public static func contents(of path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
    return bytes
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
