public import ArgumentParser
import CMalloc
import Glibc

/// How a command that could do its work ended.
public enum Outcome: Int32, Sendable {
  /// It did its work, even if no record was kept.
  case done = 0
  /// It ran and the answer is no: a check, a comparison, a look-up.
  case no = 1
}

/// A command of Seqline: parses its flags, runs, and answers with an exit code that means the same everywhere.
///
/// 0: done; 1: it ran and the answer is no; 2: it could not (usage, input, I/O). ArgumentParser alone would say 64 and 1.
public protocol SeqlineCommand: ParsableCommand {
  /// Whether threads allocate in the same places. What one thread makes another frees, mostly, so that with a place for each
  /// much of the memory would lie idle; but threads that all do the same wait for each other.
  static var threadsShareMemory: Bool { get }

  func execute() throws -> Outcome
}

extension SeqlineCommand {
  public static var threadsShareMemory: Bool { true }

  public static func main() {
    keepFreedMemory()
    if threadsShareMemory { mallopt(M_ARENA_MAX, 2) }
    do {
      var command = try parseAsRoot()
      guard let command = command as? any SeqlineCommand else {
        try command.run()
        Glibc.exit(0)
      }
      Glibc.exit(try command.execute().rawValue)
    } catch {
      Glibc.exit(report(error))
    }
  }

  public func run() throws { throw CleanExit.helpRequest(self) }

  public func execute() throws -> Outcome { throw CleanExit.helpRequest(self) }

  /// Prints what went wrong, or the help that was asked for, and answers the exit code.
  private static func report(_ error: any Error) -> Int32 {
    if isBrokenPipe(error) { return 0 }
    if exitCode(for: error) == .success {
      print(fullMessage(for: error))
      return 0
    }
    let isUsage = exitCode(for: error) == .validationFailure
    let name = commandName
    if isUsage {
      let message = fullMessage(for: error)
      standardError.line(message.hasPrefix("Error: ") ? "\(name): " + message.dropFirst(7) : message)
    } else {
      standardError.line("\(name): \(error)")
    }
    return 2
  }
}

extension SeqlineCommand {
  /// The name that people call the command by.
  static var commandName: String {
    CommandLine.arguments.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "seqline"
  }
}

/// Lets the allocator keep and reuse large blocks: batches come and go by the megabyte, and a page fault on fresh memory
/// costs more than filling it.
private func keepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30)
  mallopt(M_TRIM_THRESHOLD, 512 << 20)
}
