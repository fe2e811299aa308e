import TestSupport
import Testing

/// What commands print and how they exit, case by case: `cases/NAME/cmd` is a script, beside it lie the standard output
/// (`expout`), standard error (`experr`) and exit code (`exit`) that it must have; a file that is missing means nothing, or 0.
///
/// Scripts run in an empty directory with `FIXTURES` and `SEQ_DEFINITIONS` set. `SEQLINE_RECORD=1` records what they do
/// now, and fails.
@Suite struct GoldenTests {
  @Test(arguments: GoldenCase.all)
  func commandDoesAsRecorded(_ golden: GoldenCase) throws {
    let folder = TemporaryDirectory()
    let result = try Fixtures.run(golden.script, in: folder.path, environment: ["COLUMNS": "100"])
    let found = GoldenCase.Outcome(result, folder: folder.path)
    if Fixtures.isRecording {
      golden.record(found)
      Issue.record("recorded \(golden.name); run again without SEQLINE_RECORD")
      return
    }
    let expected = golden.expected
    #expect(found.exit == expected.exit, "\(found.errors)")
    #expect(found.output == expected.output)
    #expect(found.errors.sorted() == expected.errors.sorted())
  }
}

/// A directory of `cases`.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  let name: String

  var testDescription: String { name }
  var directory: String { Fixtures.casesDirectory + "/" + name }
  var script: String { text("cmd") ?? "exit 99" }

  static let all = SharedData.names(in: Fixtures.casesDirectory).map { GoldenCase(name: $0) }

  private func text(_ file: String) -> String? {
    SharedData.contents(of: "\(directory)/\(file)").map { String(decoding: $0, as: UTF8.self) }
  }

  /// What a script did, without what differs from run to run.
  struct Outcome {
    var output: String
    /// Lines, in an order that means nothing: the stages of a pipeline write at the same time.
    var errors: [Substring]
    var exit: String

    init(output: String, errors: String, exit: String) {
      self.output = output
      self.errors = errors.split(separator: "\n", omittingEmptySubsequences: false)
      self.exit = exit
    }

    init(_ result: ShellResult, folder: String) {
      func constant(_ text: String) -> String {
        text.replacing(folder, with: "$PWD").replacing(Fixtures.directory, with: "$FIXTURES")
          .replacing(/, [0-9]+ MB\/s/, with: ", N MB/s").replacing(/\.[0-9]+\.[0-9]+\.tmp/, with: ".N.tmp")
      }
      self.init(output: constant(result.output), errors: constant(result.errors), exit: "\(result.status)")
    }
  }

  var expected: Outcome {
    Outcome(
      output: text("expout") ?? "", errors: text("experr") ?? "",
      exit: text("exit").map { "exit " + $0.trimming } ?? "exit 0")
  }

  func record(_ found: Outcome) {
    let code = found.exit.replacing("exit ", with: "")
    for (file, text) in [
      ("expout", found.output), ("experr", found.errors.joined(separator: "\n")),
      ("exit", code == "0" ? "" : code + "\n"),
    ] {
      if text.isEmpty {
        Fixtures.remove("\(directory)/\(file)")
      } else {
        Fixtures.write(text, to: "\(directory)/\(file)")
      }
    }
  }
}

extension String {
  fileprivate var trimming: String { String(split(whereSeparator: \.isWhitespace).first ?? "") }
}
