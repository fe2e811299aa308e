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
    guard let definitions = try loadIfNamed() else {
      throw ValidationError("--definitions is missing; name the output of 'seq-config compile', or set SEQ_DEFINITIONS")
    }
    return definitions
  }

  /// The same, for a command that can do without.
  package func loadIfNamed() throws -> DefinitionSet? {
    try (definitions ?? environment("SEQ_DEFINITIONS")).map { try DefinitionSet.load($0) }
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

/// The flags of every stage that reads a stream.
public struct StageFlags: ParsableArguments {
  @Argument(help: ArgumentHelp("Files to read (default: standard input).", valueName: "file"))
  package var inputs: [String] = []

  @Option(help: "Worker threads (default: one per processor).")
  package var threads: Int?

  @Option(help: ArgumentHelp("Refuse frames of more content than this (MiB).", valueName: "MiB"))
  package var maxFrame: Int = 256

  @Option(help: "How the summary is written: text or json.")
  package var logFormat: Summary.Format = .text

  @OptionGroup(title: "Options for metrics") package var metrics: MetricsFlags

  public init() {}

  public func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads \(threads) is not above 0") }
    if maxFrame < 1 { throw ValidationError("--max-frame \(maxFrame) is not above 0") }
  }

  /// The flags as the engine takes them.
  ///
  /// - Parameter output: where the stage writes a stream.
  /// - Parameter rejection: where it reads text.
  package func options(_ output: OutputFlags? = nil, _ rejection: RejectionFlags? = nil) -> StageOptions {
    StageOptions(
      inputs: inputs.isEmpty ? ["-"] : inputs, threads: (threads ?? processorCount) + 1, format: output?.format,
      level: output?.level, columns: output?.columnNames, timestamps: output?.timestamps ?? .rfc3339,
      deadLetters: rejection?.deadLetters, maximumErrors: rejection?.maxErrors, maximumFrameByteCount: maxFrame << 20)
  }
}

/// The flags of every stage that writes a stream.
public struct OutputFlags: ParsableArguments {
  @Option(help: "What to write: frames, ndjson, arrow or parquet (default: ndjson on a terminal, else frames).")
  package var format: OutputFormat?

  @Option(help: "zstd level of the frames; 0 stores them (default: 0 into a pipe, 3 into a file).")
  package var level: Int?

  @Option(help: ArgumentHelp("Only these columns, in this order (ndjson, arrow, parquet).", valueName: "a,b,…"))
  package var columns: String?

  @Option(help: "How ndjson writes timestamps: rfc3339, s, ms or us.")
  package var timestamps: TimestampFormat = .rfc3339

  public init() {}

  public func validate() throws {
    if let level, !(0...22).contains(level) { throw ValidationError("--level \(level) is outside 0...22") }
    guard let names = columnNames else { return }
    if names.isEmpty { throw ValidationError("--columns names no column") }
    for (place, name) in names.enumerated() where names[..<place].contains(name) {
      throw ValidationError("--columns names '\(name)' twice")
    }
  }

  /// Whether the output has one schema even when it has no rows.
  package var isTable: Bool { format == .arrow || format == .parquet }

  var columnNames: [String]? { columns?.split(separator: ",").map(String.init) }
}

/// The flags of every stage that reads text, of which lines may be no events.
public struct RejectionFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Append rejected lines to this file, as NDJSON.", valueName: "file"))
  package var deadLetters: String?

  @Option(help: ArgumentHelp("Fail once more lines than this are rejected (default: never).", valueName: "n"))
  package var maxErrors: Int?

  public init() {}
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
