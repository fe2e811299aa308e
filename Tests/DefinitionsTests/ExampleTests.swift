import Definitions
import JSONText
import TestSupport
import Testing

@Suite struct ExampleTests {
  static let examples = ["examples/engagement/definitions.py", "examples/github/definitions.py"]

  @Test(arguments: examples)
  func examplesCompileToTheSameBytesEveryTime(file: String) throws {
    let first = try PythonDefinitions.compile(file: file)
    #expect(try PythonDefinitions.compile(file: file).text == first.text)
    #expect(try DefinitionSet(checking: first.text) == first)
  }

  @Test func aPushIsExplodedIntoItsCommits() throws {
    let set = try PythonDefinitions.compile(file: Self.examples[1])
    let commit = try #require(set.eventType("commit"))
    #expect(commit.explode == Explode(path: FieldPath("payload.commits"), key: "payload.commits.sha"))
    #expect(commit.columns.first { $0.name == "message" }?.type == .utf8)
    #expect(set.eventTypes(dataset: "activity").map(\.name) == ["push", "star", "fork", "issue", "pull_request"])
  }

  @Test(.enabled(if: jsonSchemaPython != nil, "no Python with jsonschema"), arguments: examples)
  func theJSONSchemaAcceptsWhatIsCompiledAndNoMore(file: String) throws {
    let python = try #require(Self.jsonSchemaPython)
    let directory = TemporaryDirectory()
    directory.write(try PythonDefinitions.compile(file: file).text, to: "compiled.json")
    let script = """
      import json, sys, jsonschema
      schema, value = (json.load(open(path)) for path in sys.argv[1:])
      validator = jsonschema.Draft202012Validator(schema)
      validator.check_schema(schema)
      jsonschema.validate(value, schema)
      def parts(value):
          if isinstance(value, dict):
              yield value
          for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
              yield from parts(child)
      for part in list(parts(value))[::5]:
          part["extra"] = 1
          assert not validator.is_valid(value), part
          del part["extra"]
          for name in list(part):
              kept = part.pop(name)
              assert not validator.is_valid(value), name
              part[name] = kept
      """
    let schema = SharedData.packageRoot + "/docs/definitions.schema.json"
    let (status, _, errors) = try Tool.run(python, ["-c", script, schema, directory.path + "/compiled.json"])
    #expect(status == 0, "\(errors)")
  }

  @Test func theGeneratorIsDeterministicAndHasEverythingInIt() throws {
    let (first, second) = (TemporaryDirectory(), TemporaryDirectory())
    for directory in [first, second] { try Self.generate(into: directory.path) }
    let files = Self.days.flatMap { day in (0..<2).map { "raw/dt=\(day)/events-\($0).ndjson" } } + ["items.ndjson"]
    for file in files {
      let text = try #require(SharedData.contents(of: "\(first.path)/\(file)"))
      #expect(text == SharedData.contents(of: "\(second.path)/\(file)"))
    }
    try Self.expectVariety(first.path)
  }

  private static let days = ["2026-11-18", "2026-11-19", "2026-11-20"]

  private static func generate(into path: String) throws {
    let script = SharedData.packageRoot + "/examples/engagement/generate.py"
    let python = try #require(Tool.find("python3"))
    let (status, _, errors) = try Tool.run(python, [script, path, "--events", "3000", "--users", "50"])
    try #require(status == 0, "\(errors)")
  }

  private static func expectVariety(_ path: String) throws {
    var (lines, kinds) = (Set<String>(), Set<String>())
    var (late, corrected, malformed, repeated) = (0, 0, 0, 0)
    for (number, day) in days.enumerated() {
      let dayStart = startMillis + Int64(number) * 86_400_000
      for line in try self.lines(of: day, path) {
        guard let event = try? JSONValue(parsing: line), let ts = event["ts"]?.integer, let kind = event["type"]?.string
        else {
          malformed += 1
          continue
        }
        kinds.insert(kind)
        repeated += lines.insert(line).inserted ? 0 : 1
        corrected += event["rev"] == 1 ? 1 : 0
        late += ts < dayStart - 3 * 3_600_000 ? 1 : 0
      }
    }
    #expect(kinds == ["feed_view", "click", "save", "search"])
    #expect(late > 10 && corrected > 10 && malformed > 10 && repeated > 10)
  }

  /// 2026-11-18T00:00:00Z.
  private static let startMillis: Int64 = 1_794_960_000_000

  private static func lines(of day: String, _ path: String) throws -> [String] {
    try (0..<2).flatMap { part in
      let bytes = try #require(SharedData.contents(of: "\(path)/raw/dt=\(day)/events-\(part).ndjson"))
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        .map(String.init)
    }
  }

  private static let jsonSchemaPython: String? = [SharedData.python, Tool.find("python3")].compactMap { $0 }
    .first { python in (try? Tool.run(python, ["-c", "import jsonschema"]).status) == 0 }
}
