import Buffers
import Engine
import Glibc
import JSONText
import TestSupport
import Testing

/// Whole stages, from files and pipes to a file.
@Suite struct StageRunTests {
  let directory = TemporaryDirectory()
  let pipeline: Pipeline
  let ingest: PipelineStage
  let filter: PipelineStage

  init() throws {
    pipeline = try Pipeline(Pipeline.clickAndSave)
    ingest = try PipelineStage.ingest(pipeline.source, definitions: pipeline.definitions)
    filter = try PipelineStage.filter(
      pipeline.definitions.eventTypes, source: pipeline.source, definitions: pipeline.definitions,
      keepsRetractions: true)
  }

  // MARK: Helpers

  func path(_ name: String) -> String { directory.path + "/" + name }

  func run(
    _ stage: PipelineStage, _ inputs: [String], to output: String = "out", format: OutputFormat = .ndjson,
    threads: Int = 2, maximumErrors: Int? = nil
  ) throws -> RunReport {
    var options = StageOptions(
      inputs: inputs, threads: threads, format: format, timestamps: .us, deadLetters: path("dead"),
      maximumErrors: maximumErrors)
    options.output = path(output)
    return try StageRun(stage, options: options).run()
  }

  func lines(_ name: String = "out") throws -> [Substring] {
    try OpenFile.text(of: path(name)).split(separator: "\n", omittingEmptySubsequences: true)
  }

  func deadLetters() throws -> [JSONValue] { try lines("dead").map { try JSONValue(parsing: String($0)) } }

  /// Makes a named pipe that gives the pieces one after the other, and then ends.
  func pipe(_ name: String, _ pieces: [[UInt8]], pause: useconds_t = 0) -> String {
    let path = path(name)
    precondition(unsafe mkfifo(path, 0o600) == 0)
    _ = startThread {
      guard let file = try? OpenFile(writing: path) else { return }
      for piece in pieces {
        try? unsafe file.write(piece.span.bytes)
        if pause > 0 { usleep(pause) }
      }
    }
    return path
  }

  func write(_ text: String, to name: String) -> String {
    directory.write(text, to: name)
    return path(name)
  }

  /// Events of all sorts, now and then a bad line.
  func log(seed: UInt64, count: Int) -> String {
    var random = SeededRandom(seed: seed)
    var text = ""
    for index in 0..<count {
      let type = ["click", "save", "view"].randomElement(using: &random)!
      let n = Int.random(in: 0..<20, using: &random)
      let note = String(repeating: "x", count: Int.random(in: 0..<60, using: &random))
      text +=
        #"{"user":\#(index % 17),"ts":\#(index),"id":"\#(index)","type":"\#(type)","rev":\#(n % 3),"n":\#(n),"text":"\#(note)"}"#
      text += Int.random(in: 0..<50, using: &random) == 0 ? "]\n" : "\n"
    }
    return text
  }

  func event(_ id: String) -> String { #"{"user":1,"ts":5,"id":"\#(id)","type":"click","n":11}"# }

  // MARK: Formats

  @Test func everyFormatGivesTheSameRows() throws {
    let text = log(seed: 1, count: 2_000)
    let plain = write(text, to: "plain.ndjson")
    let report = try run(ingest, [plain], to: "expected")
    #expect(report.rowsIn == report.rowsOut && report.rowsIn + report.rejectedCount == 2_000)
    #expect(report.bytesIn == text.utf8.count)
    let expected = try lines("expected")
    var inputs = [pipe("fifo", [Array(text.utf8)])]
    for compressor in ["gzip", "zstd"] {
      guard let tool = Tool.find(compressor) else { continue }
      let output = try Tool.run(tool, ["-c", plain]).output
      try Files.write(output, to: path(compressor))
      inputs.append(path(compressor))
      let bytes = unsafe output.withUnsafeBytes { unsafe Array($0) }
      inputs.append(
        pipe(
          compressor + ".pipe",
          stride(from: 0, to: bytes.count, by: 999).map { Array(bytes[$0..<min($0 + 999, bytes.count)]) }))
    }
    _ = try run(ingest, [plain], to: "frames", format: .frames)
    inputs.append(path("frames"))
    for input in inputs {
      _ = try run(ingest, [input])
      #expect(try lines() == expected, "\(input)")
    }
  }

  @Test func severalInputsAreReadOneAfterTheOther() throws {
    _ = try run(ingest, [write(event("b") + "\n", to: "b")], to: "b.frames", format: .frames)
    let inputs = [
      write(event("a"), to: "a"), write("", to: "none"), path("b.frames"), write("\n\n" + event("c") + "\n", to: "c"),
    ]
    let report = try run(ingest, inputs)
    #expect(try lines().map { try JSONValue(parsing: String($0))["id"]?.string } == ["a", "b", "c"])
    #expect(report.rowsIn == 3)
  }

  @Test func anEmptyPipeIsEmptyTextForTheFirstStageAndACutStreamForOthers() throws {
    let report = try run(ingest, [pipe("first", [])])
    #expect(report == RunReport())
    #expect(throws: InputCutShort.self) { try run(filter, [pipe("second", [])]) }
    _ = try run(ingest, [write(event("b"), to: "b")], to: "b.frames", format: .frames)
    #expect(throws: InputCutShort.self) { try run(filter, [pipe("third", []), path("b.frames")]) }
    #expect(try run(filter, [write("", to: "empty")]).rowsIn == 0)
  }

  @Test func aStreamThatIsCutShortGivesNoEnd() throws {
    _ = try run(ingest, [write(log(seed: 2, count: 300), to: "in")], to: "frames", format: .frames)
    let bytes = try #require(SharedData.contents(of: path("frames")))
    for cut in [1, 30, bytes.count / 2, bytes.count - 1] {
      let input = path("cut")
      try Files.write(Buffer(Array(bytes[..<cut])), to: input)
      #expect(throws: (any Error).self, "\(cut)") { try run(filter, [input], to: "cut.frames", format: .frames) }
      // What was written is no complete stream either.
      if SharedData.contents(of: path("cut.frames"))?.isEmpty == false {
        #expect(throws: (any Error).self) {
          try EventInput(StageOptions(inputs: [path("cut.frames")], threads: 1)).forEachBatch { _ in }
        }
      }
    }
  }

  @Test func framesOfAnotherStageAreRefused() throws {
    let input = write(event("a"), to: "in")
    _ = try run(filter, [input], to: "events", format: .frames)
    let error = #expect(throws: WrongInput.self) { try run(filter, [path("events")]) }
    #expect(error?.description == "the input holds 'event' where raw rows belong; check the order of the stages")
    let enrich = try PipelineStage.enrich(definitions: pipeline.definitions, tables: [:])
    let refused = #expect(throws: (any Error).self) { try run(enrich, [input]) }
    #expect("\(refused!)" == "\(input): raw text where frames of event rows belong; put seq-filter before this stage")
    #expect(try run(enrich, [path("events")]).rowsOut == 1)
  }

  // MARK: Lines

  @Test func blocksGrowWithLongLines() throws {
    let long = String(repeating: "y", count: 3_000_000)
    let text = (0..<8).map { #"{"user":1,"ts":5,"id":"\#($0)","type":"t","text":"\#($0 % 3 == 0 ? long : "s")"}"# }
    let joined = text.joined(separator: "\n")
    for input in [write(joined, to: "file"), pipe("fifo", [Array(joined.utf8)])] {
      let report = try run(ingest, [input])
      #expect(report.rowsIn == 8)
      #expect(try lines().map(\.utf8.count).max()! > 3_000_000)
    }
  }

  /// Larger than a unit of work, so that bad lines have others before them.
  @Test func badLinesKeepTheirPlaceAcrossUnitsAndFiles() throws {
    var text = ""
    var bad: [(offset: Int, line: Int, text: String)] = []
    let note = String(repeating: "z", count: 900)
    for line in 1...20_000 {
      if line % 1_999 == 0 {
        bad.append((text.utf8.count, line, "bad \(line)"))
        text += "bad \(line)\n"
      } else {
        text += #"{"user":1,"ts":5,"id":"\#(line)","type":"t","text":"\#(note)"}"# + "\n"
      }
    }
    let file = write(text, to: "a")
    let inputs = [file, write("oops\n" + event("x") + "\n\nworse", to: "b"), file, pipe("c", [Array(text.utf8)])]
    let report = try run(ingest, inputs, threads: 3)
    let letters = try deadLetters()
    func expected(_ source: String) -> [[JSONValue]] {
      bad.map { [.string(source), .integer(Int64($0.offset)), .integer(Int64($0.line)), .string($0.text)] }
    }
    let short: [[JSONValue]] = [
      [.string(inputs[1]), .integer(0), .integer(1), .string("oops")],
      [.string(inputs[1]), .integer(Int64(7 + event("x").utf8.count)), .integer(4), .string("worse")],
    ]
    let found = letters.map { letter in ["source", "byte_offset", "line", "text"].map { letter[$0] ?? .null } }
    #expect(found == expected(file) + short + expected(file) + expected(inputs[3]))
    #expect(report.rejectedCount == letters.count)
  }

  @Test func tooManyBadLinesEndTheRunAfterWhatCameBefore() throws {
    let input = write([event("a"), "x", event("b"), "y", "z"].joined(separator: "\n"), to: "in")
    #expect(try run(ingest, [input], maximumErrors: 3).rejectedCount == 3)
    let error = #expect(throws: TooManyErrors.self) { try run(ingest, [input], maximumErrors: 2) }
    #expect(error?.count == 3)
    #expect(error?.first.source == input)
  }

  // MARK: Properties

  @Test(arguments: [1, 2, 3])
  func threadsAndCutsChangeNothing(seed: UInt64) throws {
    let text = log(seed: seed, count: 3_000)
    let bytes = Array(text.utf8)
    let file = write(text, to: "file")
    let whole = try run(filter, [file], threads: 1)
    let expected = try lines()
    #expect(whole.rowsOut == expected.count && whole.retractions > 0)
    var random = SeededRandom(seed: seed)
    for threads in 1...4 {
      _ = try run(filter, [file], threads: threads)
      #expect(try lines() == expected)
      var pieces: [[UInt8]] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...40_000, using: &random))
        pieces.append(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      let cut = try run(filter, [pipe("pipe\(threads)", pieces, pause: 200)], threads: threads)
      #expect(try lines().sorted() == expected.sorted())
      #expect(cut == whole)
      // In frames of its own size, with the end of each part in the middle.
      _ = try run(ingest, [pipe("raw\(threads)", pieces, pause: 200)], to: "frames", format: .frames, threads: threads)
      _ = try run(filter, [path("frames"), path("frames")], threads: threads)
      #expect(try lines().sorted() == (expected + expected).sorted())
    }
  }

  @Test func unitsOfAFileComeInOrderWhateverTheThreads() throws {
    let text = log(seed: 9, count: 100_000)
    let file = write(text, to: "file")
    let report = try run(filter, [file], to: "expected", threads: 1)
    #expect(text.utf8.count > 8 << 20)
    for threads in 2...4 {
      #expect(try run(filter, [file], threads: threads) == report)
      #expect(SharedData.contents(of: path("out")) == SharedData.contents(of: path("expected")))
    }
  }
}
