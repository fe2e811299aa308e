import ArgumentParser
import CommandSupport
import Definitions
import Engine

@main
struct SeqConfig: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-config",
    abstract: "Compile and check definitions.",
    discussion: """
      Definitions are written in Python and compiled to the JSON that
      all other commands read.

        seq-config compile definitions.py -o definitions.json
        export SEQ_DEFINITIONS=definitions.json
        cat raw/*/*.ndjson | seq-filter | seq-enrich > events.frames
      """,
    version: seqlineVersion,
    subcommands: [Compile.self, Check.self])
}

struct Compile: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a Python file and write what it declares as compiled JSON.",
    discussion: """
      The same declarations give the same bytes. Errors are reported all at
      once; then nothing is written and the exit code is 1.
      """)

  @Argument(help: "The Python file.")
  var file: String

  @Option(name: .shortAndLong, help: "Write here instead of to standard output.")
  var output = "-"

  func execute() throws -> Outcome {
    try reportingErrors {
      let definitions = try AuthoringModule.find().compile(file)
      try OpenFile.replaceText(of: output, with: definitions.text)
    }
  }
}

struct Check: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Report everything that is wrong with definitions; exit 1 if anything is.",
    discussion: "Takes a Python file, or compiled JSON, of which every part is checked anew.")

  @Argument(help: "The Python file or compiled JSON.")
  var file: String

  func execute() throws -> Outcome {
    try reportingErrors {
      let definitions = try load()
      standardError.line("seq-config: \(file): \(definitions.summary)")
    }
  }

  private func load() throws -> DefinitionSet {
    if file.hasSuffix(".py") { return try AuthoringModule.find().compile(file) }
    return try DefinitionSet(checking: OpenFile.text(of: file), file: file)
  }
}

/// Runs `body`; definitions that are wrong are the answer no, with a line for each error.
private func reportingErrors(_ body: () throws -> Void) throws -> Outcome {
  do {
    try body()
    return .done
  } catch AuthoringError.definitions(let errors) {
    return report(errors)
  } catch let errors as DefinitionErrors {
    return report(errors)
  }
}

private func report(_ errors: DefinitionErrors) -> Outcome {
  for error in errors.errors { standardError.line("seq-config: \(error)") }
  return .no
}
