import Engine
import Frames
import Glibc
import Synchronization
import TestSupport
import Testing

/// Files that grow, rotate, are emptied, and appear while they are followed.
@Suite struct FollowTests {
  let directory = TemporaryDirectory()

  func path(_ name: String) -> String { directory.path + "/" + name }

  func append(_ text: String, to name: String) {
    guard let file = try? OpenFile(writing: path(name), appending: true) else { return }
    try? unsafe file.write(Array(text.utf8).span.bytes)
  }

  func rename(_ from: String, to new: String) { _ = unsafe Glibc.rename(path(from), path(new)) }

  // MARK: Growing

  @Test func wholeLinesComeAsSoonAsTheirNewline() throws {
    append("a\nb\npar", to: "log")
    let reader = try Reader([path("log")])
    reader.waitFor(["a", "b"])
    append("tial", to: "log")
    usleep(60_000)
    #expect(reader.lines == ["a", "b"])
    append("\nc\n", to: "log")
    reader.waitFor(["a", "b", "partial", "c"])
    try reader.stop()
    let size = Int64("a\nb\npartial\nc\n".utf8.count)
    #expect(reader.offsets.last == size)
    #expect(reader.offsets == reader.offsets.sorted())
  }

  @Test func aLineAloneTakesMilliseconds() throws {
    append("first\n", to: "log")
    let reader = try Reader([path("log")])
    reader.waitFor(["first"])
    var times: [Double] = []
    for index in 0..<50 {
      let start = Clock.now
      append("line \(index)\n", to: "log")
      reader.waitForCount(index + 2)
      times.append(Clock.now - start)
      usleep(2_000)
    }
    // The median, for the machine may be busy; without being told of changes it would be half an interval.
    #expect(times.sorted()[25] < 0.02)
    try reader.stop()
  }

  @Test func blocksGrowUnderLoadAndCoverAllLines() throws {
    let lines = (0..<200_000).map { "line number \($0)" }
    append(lines.joined(separator: "\n") + "\n", to: "log")
    var options = FollowSource.Options()
    options.blockByteCount = 1 << 20
    let reader = try Reader([path("log")], options: options)
    reader.waitForCount(lines.count)
    #expect(reader.lines == lines)
    #expect(reader.blockCount < 10)
    try reader.stop()
  }

  @Test func aLineLongerThanABlockComesWhole() throws {
    let long = String(repeating: "x", count: 100_000)
    append("a\n\(long)\nb\n", to: "log")
    var options = FollowSource.Options()
    options.blockByteCount = 1000
    let reader = try Reader([path("log")], options: options)
    reader.waitFor(["a", long, "b"])
    try reader.stop()
  }

  @Test func fromTheEndLeavesOutWhatWasThere() throws {
    append("old\nunfin", to: "log")
    var options = FollowSource.Options()
    options.fromEnd = true
    let reader = try Reader([path("log"), path("later")], options: options)
    append("new\n", to: "later")
    append("ished\n", to: "log")
    reader.waitForSet(["new", "unfinished"])
    try reader.stop()
  }

  // MARK: Rotation

  @Test func aRenamedFileIsReadToItsEndBeforeItsSuccessor() throws {
    append("a\n", to: "log")
    let reader = try Reader([path("log")])
    reader.waitFor(["a"])
    append("b\nc\n", to: "log")
    rename("log", to: "log.1")
    append("d\n", to: "log.1")
    append("e\n", to: "log")
    reader.waitForSet(["a", "b", "c", "d", "e"])
    #expect(reader.lines == ["a", "b", "c", "d", "e"])
    // A writer that has not noticed yet.
    append("late\n", to: "log.1")
    reader.waitForSet(["a", "b", "c", "d", "e", "late"])
    try reader.stop()
    #expect(reader.sources.count == 2)
    #expect(reader.sources.allSatisfy { $0.hasPrefix(FollowTests.real(path("log")) + "#") })
  }

  @Test func anEmptiedFileIsReadFromItsStart() throws {
    append("first\nsecond\n", to: "log")
    let reader = try Reader([path("log")])
    reader.waitFor(["first", "second"])
    _ = unsafe truncate(path("log"), 0)
    append("third\n", to: "log")
    reader.waitFor(["first", "second", "third"])
    reader.waitForNote("was emptied")
    try reader.stop()
    #expect(reader.sources.count == 2)
  }

  @Test func anEmptiedFileThatGrewPastItsOldLengthIsToldByItsFirstLine() throws {
    append("first\n", to: "log")
    let reader = try Reader([path("log")])
    reader.waitFor(["first"])
    // In one step, so that no look falls between.
    let file = try OpenFile(reading: path("log"))
    _ = file
    _ = try Shell.run("printf 'other\\nand more than before\\n' > log", in: directory.path)
    reader.waitFor(["first", "other", "and more than before"])
    try reader.stop()
  }

  @Test func filesThatAppearLaterAreReadFromTheirStart() throws {
    let reader = try Reader([path("*.log"), path("plain")])
    append("a\n", to: "x.log")
    reader.waitForSet(["a"])
    append("b\n", to: "plain")
    append("c\n", to: "y.log")
    append("no\n", to: "y.txt")
    reader.waitForSet(["a", "b", "c"])
    // Renamed within the glob, a file stays the same.
    rename("x.log", to: "z.log")
    append("d\n", to: "z.log")
    reader.waitForSet(["a", "b", "c", "d"])
    try reader.stop()
  }

  @Test func aDeletedFileIsLeftAndItsNameReadAnew() throws {
    append("a\n", to: "log")
    var options = FollowSource.Options()
    options.patience = 0.1
    let reader = try Reader([path("log")], options: options)
    reader.waitFor(["a"])
    append("unfinished", to: "log")
    usleep(50_000)
    _ = unsafe unlink(path("log"))
    reader.waitFor(["a", "unfinished"])
    append("b\n", to: "log")
    reader.waitFor(["a", "unfinished", "b"])
    try reader.stop()
  }

  @Test func compressedFilesOfAGlobAreLeftOut() throws {
    append("a\n", to: "log")
    _ = try Shell.run("echo old | gzip > log.2.gz", in: directory.path)
    let reader = try Reader([path("log*")])
    reader.waitFor(["a"])
    reader.waitForNote("log.2.gz: is no text; left out")
    try reader.stop()
  }

  /// A writer rotates at random, in both ways; nothing is lost, doubled or torn.
  @Test(arguments: [1, 2, 3])
  func randomRotationLosesNothing(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    append("first\n", to: "log")
    let reader = try Reader([path("log")])
    var expected = ["first"]
    var rotations = 0
    for index in 0..<2_000 {
      let line = "\(index) " + String(repeating: "y", count: Int.random(in: 0..<50, using: &random))
      expected.append(line)
      let cut = line.index(line.startIndex, offsetBy: Int.random(in: 0...line.count, using: &random))
      append(String(line[..<cut]), to: "log")
      append(String(line[cut...]) + "\n", to: "log")
      if Int.random(in: 0..<100, using: &random) == 0 {
        rotations += 1
        rename("log", to: "log.\(rotations)")
      }
      if Int.random(in: 0..<200, using: &random) == 0 { usleep(20_000) }
    }
    reader.waitForCount(expected.count)
    try reader.stop()
    let lost = Set(expected).subtracting(reader.lines)
    #expect(lost.isEmpty, "\(lost.prefix(5))")
    #expect(reader.lines.count == expected.count)
    #expect(rotations > 5)
  }

  // MARK: Resuming

  @Test func aRunGoesOnWhereTheLastOneStopped() throws {
    append("a\nb\n", to: "log")
    let first = try Reader([path("log")])
    first.waitFor(["a", "b"])
    try first.stop()
    append("c\n", to: "log")
    let second = try Reader([path("log")], positions: first.lookup)
    second.waitFor(["c"])
    try second.stop()
  }

  @Test(arguments: [false, true])
  func whatWasRotatedMeanwhileIsReadFirst(byCopy: Bool) throws {
    append("a\n", to: "log")
    append("other\n", to: "unrelated")
    let first = try Reader([path("log")])
    first.waitFor(["a"])
    try first.stop()
    append("b\n", to: "log")
    if byCopy {
      _ = try Shell.run("cp log log.2; : > log", in: directory.path)
    } else {
      rename("log", to: "log.2")
    }
    usleep(20_000)
    append("c\n", to: "log.1")
    usleep(20_000)
    append("d\n", to: "log")
    let second = try Reader([path("log")], positions: first.lookup)
    second.waitFor(["b", "c", "d"])
    #expect(second.notes.contains { $0.contains("was rotated to") && $0.contains("log.2") })
    try second.stop()
    let third = try Reader([path("log")], positions: second.lookup)
    append("e\n", to: "log")
    third.waitFor(["e"])
    try third.stop()
  }

  @Test func aFileThatWasRenamedWithinItsGlobIsNotReadAgain() throws {
    append("a\n", to: "app.log")
    let first = try Reader([path("app.log*")])
    first.waitFor(["a"])
    try first.stop()
    append("b\n", to: "app.log")
    rename("app.log", to: "app.log.1")
    append("c\n", to: "app.log")
    let second = try Reader([path("app.log*")], positions: first.lookup)
    second.waitForSet(["b", "c"])
    try second.stop()
  }

  @Test func withoutWaitingItEndsAfterTheLastLine() throws {
    append("a\nb", to: "log")
    var options = FollowSource.Options()
    options.waits = false
    let reader = try Reader([path("log")], options: options)
    try reader.finish()
    #expect(reader.lines == ["a", "b"])
    #expect(reader.offsets.last == 3)
    let again = try Reader([path("log")], options: options, positions: reader.lookup)
    try again.finish()
    #expect(again.lines.isEmpty)
    #expect(throws: SystemError.self) { try FollowSource([path("none")], options: options) }
  }

  static func real(_ path: String) -> String {
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }
}

/// A source that is read on a thread of its own.
private final class Reader {
  struct Found {
    var lines: [String] = []
    var blockCount = 0
    var positions: [(source: String, offset: Int64)] = []
    var notes: [String] = []
    var failure: (any Error)?

    mutating func add(_ unit: InputUnit) {
      switch unit {
      case .text(let block):
        blockCount += 1
        let text = unsafe block.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        lines += text.split(separator: "\n").map(String.init)
      case .position(.position(let source, nil, let offset)): positions.append((source, offset))
      default: Issue.record("\(unit)")
      }
    }
  }

  private let source: FollowSource
  private let found = Monitor(Found())
  private let thread: pthread_t

  init(
    _ paths: [String], options: FollowSource.Options = FollowSource.Options(), positions: SourcePositionLookup? = nil
  ) throws {
    let found = found
    source = try FollowSource(paths, options: options, positions: positions) { text in
      found.update { $0.notes.append(text) }
    }
    nonisolated(unsafe) let reading = source
    thread = startThread {
      do {
        while let unit = try unsafe reading.next() { found.update { $0.add(unit) } }
      } catch { found.update { $0.failure = error } }
    }
  }

  private var now: Found { found.update { $0 } }
  var lines: [String] { now.lines }
  var blockCount: Int { now.blockCount }
  var notes: [String] { now.notes }
  var offsets: [Int64] { now.positions.map(\.offset) }
  var sources: Set<String> { Set(now.positions.map(\.source)) }

  /// The positions as a store would know them.
  var lookup: SourcePositionLookup {
    let known = Dictionary(now.positions.map { ($0.source, $0.offset) }) { $1 }
    return SourcePositionLookup { source, _ in known[source] }
  }

  private func wait(_ isDone: ([String]) -> Bool) {
    let deadline = Clock.now + 200
    while !isDone(lines), Clock.now < deadline, now.failure == nil { usleep(300) }
  }

  func waitForCount(_ count: Int) {
    wait { $0.count >= count }
    #expect(lines.count == count)
  }

  func waitFor(_ expected: [String], _ location: SourceLocation = #_sourceLocation) {
    wait { $0.count >= expected.count }
    #expect(lines == expected, sourceLocation: location)
  }

  /// Waits for lines of several files, whose order means nothing.
  func waitForSet(_ expected: [String], _ location: SourceLocation = #_sourceLocation) {
    wait { $0.count >= expected.count }
    #expect(lines.sorted() == expected.sorted(), sourceLocation: location)
  }

  func waitForNote(_ text: String) {
    wait { _ in notes.contains { $0.contains(text) } }
    #expect(notes.contains { $0.contains(text) })
  }

  /// Stops the source and waits for its end.
  func stop() throws {
    source.stop?()
    try finish()
  }

  /// Waits for the source to end by itself.
  func finish() throws {
    pthread_join(thread, nil)
    if let failure = now.failure { throw failure }
  }
}
