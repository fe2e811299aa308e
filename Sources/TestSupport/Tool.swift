import Buffers
import Foundation

/// Other programs that tests compare with.
public enum Tool {
  /// Where `name` lies on the search path; nil when it is absent.
  public static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs a program to its end.
  public static func run(
    _ path: String, _ arguments: [String], input: Buffer = .empty
  ) throws -> (status: Int32, output: Buffer, errors: String) {
    let directory = TemporaryDirectory()
    let folder = directory.path
    try Files.write(input, to: folder + "/in")
    for name in ["out", "err"] { try Files.write(.empty, to: folder + "/" + name) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/in"))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/out"))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/err"))
    try process.run()
    process.waitUntilExit()
    let errors = try String(contentsOfFile: folder + "/err", encoding: .utf8)
    return (process.terminationStatus, try Files.read(folder + "/out"), errors)
  }
}
