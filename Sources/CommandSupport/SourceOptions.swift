public import ArgumentParser
import Definitions
import Engine

/// The flags that say which source raw events come from, and which days of it.
public struct SourceOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The source that raw events come from (default: the only one).", valueName: "name"))
  package var source: String?

  @Option(help: ArgumentHelp("Read the source's files of these days.", valueName: "D[..E]"))
  package var date: String?

  @Option(help: ArgumentHelp("The directory that the source's path begins in.", valueName: "dir"))
  package var root = "."

  @Flag(help: "Text is CSV, as it is anyway in files named .csv, .csv.gz and .csv.zst.")
  package var csv = false

  public init() {}

  /// The source that is meant.
  package func source(of definitions: DefinitionSet) throws -> SourceDefinition {
    let names = definitions.sources.map { "'\($0.name)'" }.joined(separator: ", ")
    if let name = source {
      guard let source = definitions.source(name) else {
        throw ValidationError("--source: there is no source '\(name)'; the definitions have \(names)")
      }
      return source
    }
    guard definitions.sources.count == 1 else {
      throw ValidationError("--source is missing; the definitions have \(names)")
    }
    return definitions.sources[0]
  }

  /// Says what to read: the files named, or the source's of the days that `--date` names, and whether they are CSV.
  package func choose(_ named: [String], of source: SourceDefinition, in options: inout StageOptions) throws {
    options.inputs = try inputs(named, source)
    options.isCSV = csv
  }

  private func inputs(_ named: [String], _ source: SourceDefinition) throws -> [String] {
    guard let date else { return named.isEmpty ? ["-"] : named }
    guard named.isEmpty else { throw ValidationError("--date and files cannot be given together; choose one") }
    return try SourceFiles(source, root: root).paths(days: date)
  }
}

/// The flags that narrow the event types.
package struct EventTypeSelection {
  package var names: [String]
  package var sequence: String?

  package init(names: [String], sequence: String?) {
    self.names = names
    self.sequence = sequence
  }

  /// The event types of `source` that are meant; all when nothing narrows them.
  package func select(_ definitions: DefinitionSet, source: SourceDefinition) throws -> [EventTypeDefinition] {
    var wanted = Set(names)
    for name in names {
      guard let type = definitions.eventType(name) else {
        throw ValidationError("--event-type: there is no event type '\(name)' in the definitions")
      }
      guard type.source == source.name else {
        throw ValidationError("--event-type: '\(name)' reads source '\(type.source)', not '\(source.name)'")
      }
    }
    if let sequence {
      guard let sequence = definitions.sequence(sequence) else {
        throw ValidationError("--sequence: there is no sequence '\(sequence)' in the definitions")
      }
      wanted.formUnion(sequence.eventTypes)
    }
    let types = definitions.eventTypes(source: source.name).filter { wanted.isEmpty || wanted.contains($0.name) }
    guard !types.isEmpty else {
      throw ValidationError(
        "none of the event types that are meant reads source '\(source.name)'; choose another --source")
    }
    return types
  }
}

extension StageFlags {
  /// Runs a stage over the inputs, or a source in their place, and prints its summary. SIGTERM and SIGINT end it after what
  /// it has read.
  package func run(
    _ command: String, _ stage: PipelineStage, _ options: StageOptions, source: (any StageSource)? = nil
  ) throws -> Outcome {
    let summary = Summary(command: command, format: logFormat)
    var options = options
    options.stop = .onTermination(source?.stop)
    summary.print(
      try metrics.observing(command, stage.definitions) { metrics in
        options.metrics = metrics
        return try StageRun(stage, options: options, source: source).run()
      })
    return .done
  }
}
