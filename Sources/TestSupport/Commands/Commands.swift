import Glibc

/// The commands of this package, as they were built with the tests.
public enum Commands {
  /// `SEQLINE_BIN`, or the directory of the running tests.
  public static let directory: String = {
    if let set = unsafe getenv("SEQLINE_BIN") { return unsafe String(cString: set) }
    return executablePath.split(separator: "/").dropLast().map { "/\($0)" }.joined()
  }()

  /// The path of the command `name`.
  public static func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Whether the commands are optimised: debug builds run twenty times slower.
  public static let areOptimised: Bool = {
    #if DEBUG
      return unsafe getenv("SEQLINE_BIN") != nil
    #else
      return true
    #endif
  }()

  private static var executablePath: String {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe readlink("/proc/self/exe", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// The variables that processes get: those of the tests, the commands first in `PATH`, then `more`.
  static func environment(_ more: [String: String]) -> [String] {
    var variables = inherited
    variables["PATH"] = directory + ":" + (variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    variables["LC_ALL"] = "C.UTF-8"
    for name in ["SEQ_DEFINITIONS", "SEQ_STORE"] { variables[name] = nil }
    variables.merge(more) { $1 }
    return variables.map { "\($0)=\($1)" }
  }

  private static var inherited: [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe environ
    while let variable = unsafe next.pointee {
      let parts = unsafe String(cString: variable).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      unsafe next += 1
    }
    return variables
  }
}
