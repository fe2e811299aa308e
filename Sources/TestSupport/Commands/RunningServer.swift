import Foundation

/// A `seq-serve` that runs until it is stopped or the last reference to it goes.
public final class RunningServer {
  private let process = Process()
  private let files = TemporaryDirectory()
  public private(set) var port = 0

  /// - Throws: `ProgramFailure` when it does not listen within 200 seconds.
  public init(_ arguments: [String], in folder: String) throws {
    files.write("", to: "err")
    process.executableURL = URL(fileURLWithPath: Commands.path("seq-serve"))
    process.arguments = arguments + ["--port", "0"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: files.path + "/err")
    try process.run()
    for _ in 0..<4_000 {
      if let found = messages.firstMatch(of: /listening on https?:\/\/[^\/]*:([0-9]+)/), let port = Int(found.1) {
        self.port = port
        return
      }
      if !process.isRunning { break }
      usleep(50_000)
    }
    throw ProgramFailure(description: "seq-serve does not listen: \(messages)")
  }

  public var url: String { "http://127.0.0.1:\(port)" }

  /// What it wrote to standard error.
  public var messages: String { (try? String(contentsOfFile: files.path + "/err", encoding: .utf8)) ?? "" }

  public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Sends a signal and answers the exit code.
  public func stop(_ signal: Int32 = SIGTERM) -> Int32 {
    if process.isRunning { kill(process.processIdentifier, signal) }
    process.waitUntilExit()
    return process.terminationStatus
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }
}
