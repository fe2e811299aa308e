public import ArgumentParser
import Definitions
import Engine
import Glibc

/// The flags that name the definitions; they mean the same in every command.
public struct DefinitionOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The compiled definitions (or $SEQ_DEFINITIONS).", valueName: "file"))
  package var definitions: String?

  public init() {}

  /// The definitions that the flag or the environment names.
  package func load() throws -> DefinitionSet {
    guard let path = definitions ?? environment("SEQ_DEFINITIONS") else {
      throw ValidationError("--definitions is missing; name the output of 'seq-config compile', or set SEQ_DEFINITIONS")
    }
    return try DefinitionSet.load(path)
  }
}

/// The flag that names the store.
public struct StoreOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The store's directory (or $SEQ_STORE).", valueName: "dir"))
  package var store: String?

  public init() {}

  package func path() throws -> String {
    guard let path = store ?? environment("SEQ_STORE") else {
      throw ValidationError("--store is missing; name the store's directory, or set SEQ_STORE")
    }
    return path
  }
}

/// The flags of every stage that reads a stream and writes one.
public struct StageFlags: ParsableArguments {
  @Argument(help: ArgumentHelp("Files to read (default: standard input).", valueName: "file"))
  package var inputs: [String] = []

  @Option(help: "Worker threads (default: one per processor).")
  package var threads: Int?

  @Option(help: "What to write: frames, ndjson, arrow or parquet (default: ndjson on a terminal, else frames).")
  package var format: OutputFormat?

  @Option(help: "zstd level of the frames; 0 stores them (default: 0 into a pipe, 3 into a file).")
  package var level: Int?

  @Option(help: ArgumentHelp("Only these columns, in this order (ndjson, arrow, parquet).", valueName: "a,b,…"))
  package var columns: String?

  @Option(help: "How ndjson writes timestamps: rfc3339, s, ms or us.")
  package var timestamps: TimestampFormat = .rfc3339

  @Option(help: ArgumentHelp("Append rejected lines to this file, as NDJSON.", valueName: "file"))
  package var deadLetters: String?

  @Option(help: ArgumentHelp("Fail once more lines than this are rejected (default: never).", valueName: "n"))
  package var maxErrors: Int?

  @Option(help: ArgumentHelp("Refuse frames of more content than this (MiB).", valueName: "MiB"))
  package var maxFrame: Int = 256

  @Option(help: "How the summary is written: text or json.")
  package var logFormat: Summary.Format = .text

  public init() {}

  public func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads \(threads) is not above 0") }
    if let level, !(0...22).contains(level) { throw ValidationError("--level \(level) is outside 0...22") }
    if maxFrame < 1 { throw ValidationError("--max-frame \(maxFrame) is not above 0") }
  }

  /// The flags as the engine takes them.
  package var options: StageOptions {
    StageOptions(
      inputs: inputs.isEmpty ? ["-"] : inputs, threads: (threads ?? processorCount) + 1, format: format,
      level: level, columns: columns?.split(separator: ",").map(String.init), timestamps: timestamps,
      deadLetters: deadLetters, maximumErrors: maxErrors, maximumFrameByteCount: maxFrame << 20)
  }
}

extension OutputFormat: ExpressibleByArgument {}
extension TimestampFormat: ExpressibleByArgument {}
extension Summary.Format: ExpressibleByArgument {}

/// A variable of the environment that is set and not empty.
package func environment(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}
