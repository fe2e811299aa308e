import ArgumentParser
import CommandSupport
import Definitions
import Engine
import TestSupport
import Testing

@Suite struct SelectionTests {
  let definitions: DefinitionSet

  init() throws {
    let directory = TemporaryDirectory()
    directory.write(
      """
      from seqline import *
      FIELDS = {"user": "int64", "ts": "timestamp[us]", "id": "string"}
      for name in ["log", "mail"]:
          Source(name, path=name + "/*.ndjson", user="user", ts="ts", id="id", lateness="1d", fields=FIELDS)
      types = [EventType(name, source=source, owner="t", retention="9d", dataset="d", where="true", columns={"one": "1"})
               for name, source in [("click", "log"), ("save", "log"), ("letter", "mail")]]
      Sequence("clicks", owner="t", events=types[:1], max_length=5, window="7d", columns=["ts"])
      Sequence("letters", owner="t", events=types[2:], max_length=5, window="7d", columns=["ts"])
      """, to: "definitions.py")
    let module = AuthoringModule(directory: SharedData.packageRoot + "/python")
    definitions = try module.compile(directory.path + "/definitions.py")
  }

  func select(_ names: [String], sequence: String? = nil, source: String = "log") throws -> [String] {
    try EventTypeSelection(names: names, sequence: sequence).select(definitions, source: definitions.source(source)!)
      .map(\.name)
  }

  func message(_ body: () throws -> Any) -> String? {
    do { _ = try body() } catch let error as ValidationError { return error.message } catch { return "\(error)" }
    return nil
  }

  @Test func theTypesOfASourceAreNarrowedByNameAndSequence() throws {
    #expect(try select([]) == ["click", "save"])
    #expect(try select([], source: "mail") == ["letter"])
    #expect(try select(["save"]) == ["save"])
    #expect(try select([], sequence: "clicks") == ["click"])
    #expect(try select(["save"], sequence: "clicks") == ["click", "save"])
  }

  @Test func whatSelectsNothingIsAnError() {
    #expect(message { try select(["clack"]) } == "--event-type: there is no event type 'clack' in the definitions")
    #expect(message { try select(["letter"]) } == "--event-type: 'letter' reads source 'mail', not 'log'")
    #expect(message { try select([], sequence: "x") } == "--sequence: there is no sequence 'x' in the definitions")
    #expect(
      message { try select([], sequence: "letters") }
        == "none of the event types that are meant reads source 'log'; choose another --source")
  }

  @Test func aSourceMustBeNamedWhereThereAreSeveral() throws {
    func source(_ arguments: [String]) throws -> String {
      try SourceOptions.parse(arguments).source(of: definitions).name
    }
    #expect(try source(["--source", "mail"]) == "mail")
    #expect(message { try source([]) } == "--source is missing; the definitions have 'log', 'mail'")
    #expect(
      message { try source(["--source", "x"]) }
        == "--source: there is no source 'x'; the definitions have 'log', 'mail'")
  }

  @Test func daysAndFilesAreNotGivenTogether() throws {
    func chosen(_ arguments: [String], _ named: [String]) throws -> StageOptions {
      var options = StageOptions(inputs: [], threads: 1)
      try SourceOptions.parse(arguments).choose(named, of: definitions.source("log")!, in: &options)
      return options
    }
    #expect(try chosen([], []).inputs == ["-"])
    #expect(try chosen([], ["a", "b"]).inputs == ["a", "b"])
    #expect(try chosen(["--csv"], ["a"]).isCSV && !chosen([], ["a.csv"]).isCSV)
    #expect(
      message { try chosen(["--date", "2026-11-20"], ["a"]) }
        == "--date and files cannot be given together; choose one")
  }

  @Test func flagsOutsideTheirRangeAreRefused() throws {
    for arguments in [["--threads", "0"], ["--max-frame", "0"]] {
      #expect(throws: (any Error).self) { try StageFlags.parse(arguments) }
    }
    for arguments in [["--level", "23"], ["--columns", ""], ["--columns", "a,b,a"]] {
      #expect(throws: (any Error).self) { try OutputFlags.parse(arguments) }
    }
    let flags = try StageFlags.parse(["a", "--threads", "3", "--max-frame", "2"])
    let options = flags.options(
      try OutputFlags.parse(["--columns", "x,y", "--timestamps", "ms"]),
      try RejectionFlags.parse(["--max-errors", "7"]))
    #expect(options.inputs == ["a"])
    #expect(options.threads == 4)
    #expect(options.columns == ["x", "y"])
    #expect(options.maximumFrameByteCount == 2 << 20)
    #expect(options.timestamps == .ms)
    #expect(options.maximumErrors == 7)
  }
}
