import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Frames
import Glibc
import JSONText
import SequenceStore
import Synchronization
import TestSupport

/// Brings a random log into a store in a random way, and into another by one batch run, and says where they differ.
///
/// Text, definitions, stages, live log and tables are the real ones. The stages run one after the other; a batch run, a
/// compaction or a vacuum may also come between any two steps of a roll. The seed decides the log and the plan; which
/// frames share a sync is the threads' affair.
final class ConvergenceRun {
  let seed: UInt64
  let log: RandomLog
  private let definitions: DefinitionSet
  private let folder = TemporaryDirectory(isInMemory: true)
  private let files = LossyFiles()
  private var random: SeededRandom
  /// Lines that the log has by now.
  private var arrivedCount = 0
  /// Up to which line each shard's writer has said that all is durable.
  private var acknowledged: [Int64]
  /// What was done.
  private let trace = Mutex<[String]>([])

  private var store: StoreDirectory { StoreDirectory(folder.path + "/streamed") }
  private var batchStore: StoreDirectory { StoreDirectory(folder.path + "/batch") }

  init(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let variant = LogVariant.all.randomElement(using: &random)!
    self.seed = seed
    log = RandomLog(variant, &random)
    definitions = try variant.definitions()
    acknowledged = [Int64](repeating: 0, count: variant.shardCount)
    self.random = random
  }

  /// - Returns: what is wrong, in text that one can act on; nil where nothing is.
  func fault() throws -> String? {
    do {
      try batch(of: log.lines.count, into: batchStore, replacing: .all)
      try build()
      if let found = try differences() { return describe("rows differ", found) }
      for store in [store, batchStore] {
        try compact(store, months: true)
        if let unsound = try problem(of: store) { return describe("a compacted store is unsound", unsound) }
      }
      if let found = try differences() { return describe("rows differ after compaction", found) }
      return try contentDifference().map { describe("the compacted tables differ", $0) }
    } catch let broken as BrokenPromise {
      return describe("a promise was broken", broken.what)
    } catch {
      throw ProgramFailure(description: describe("\(error)", ""))
    }
  }

  private func describe(_ what: String, _ details: String) -> String {
    """
    seed \(seed): \(what) (SEQLINE_SEED=\(seed) runs it again)
    \(log.variant)
    \(trace.withLock { $0.joined(separator: "\n") })
    \(details)
    """
  }

  private func note(_ text: String) { trace.withLock { $0.append("- \(text)") } }

  // MARK: The plan

  private func build() throws {
    // The live log is there from the beginning: how long retractions are kept is counted by the stream then, not by
    // batches.
    try stream(isCareful: true)
    let isFast = Bool.random(using: &random)
    for _ in 0..<Int.random(in: 4...9, using: &random) {
      let more = Int.random(in: 0...max(1, log.lines.count / (isFast ? 3 : 12)), using: &random)
      arrivedCount = min(log.lines.count, arrivedCount + more)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5: try stream(isCareful: false)
      case 5..<9: try upkeep(&random)
      default: try overtake()
      }
    }
    if !isFast { try overtake() }
    try finish()
    guard Int64(log.lines.count) <= (try position()) else { throw BrokenPromise(what: "the end was not stored") }
  }

  /// The rest of the log is streamed, cut before some of the lines whose rivals came before, so that files have one of both.
  private func finish() throws {
    let cuts = log.rivals.filter { $0 > arrivedCount }.shuffled(using: &random)
    for cut in cuts.prefix(Int.random(in: 0...4, using: &random)).sorted() + [log.lines.count] {
      arrivedCount = cut
      try stream(isCareful: true)
    }
  }

  /// While the stream has an event's last revision and not yet a lower one, a batch run of other days and compaction get
  /// further ahead of it than events may be late.
  private func overtake() throws {
    let next = log.revivals.filter { $0 > arrivedCount }.prefix(5)
    guard let late = next.randomElement(using: &random) else { return try stream(isCareful: true) }
    arrivedCount = late
    try stream(isCareful: true)
    let known = log.lines[late - 1].arrivalMillis + log.variant.latenessMillis
    let ahead = log.moments.filter { $0 > late && log.lines[$0 - 1].arrivalMillis > known }
    guard let moment = ahead.randomElement(using: &random) else { return }
    arrivedCount = moment
    var days = Self.days(&random)
    while let day = log.lines[late].event?.day, days == .all || days.contains(day) { days = Self.days(&random) }
    try backfill(days, of: moment)
    try compact(store, months: false)
  }

  /// What other processes may do at any moment.
  private func upkeep(_ random: inout SeededRandom) throws {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5: try backfill(&random)
    case 5..<8: try compact(store, months: Int.random(in: 0..<3, using: &random) == 0)
    case 8:
      note("vacuum")
      try FileVacuum(store, graceMillis: 0, nowMillis: Int64.max / 2).run { _ in }
    default:
      let shard = Shard(Int.random(in: 0..<log.variant.shardCount, using: &random))
      var options = LiveRun.Options()
      options.files = files
      let run = LiveRun(store, definitions: definitions, shard: shard, options: options)
      note("settle shard \(shard)")
      _ = try run.settle()
    }
  }

  // MARK: Streaming

  private func position() throws -> Int64 { try SourcePositions(store)["log", nil] ?? 0 }

  /// Streams what has arrived from where the store or its acknowledgements are; if not careful, maybe not to a good end.
  private func stream(isCareful: Bool) throws {
    let (stored, acknowledged) = (try position(), acknowledged.min()!)
    guard acknowledged <= stored else {
      throw BrokenPromise(what: "line \(acknowledged) was acknowledged, \(stored) is durable")
    }
    let start = Int(Bool.random(using: &random) ? stored : acknowledged)
    let input = try filter(LogSource(log, start..<arrivedCount, &random), named: "stream")
    var accident = isCareful ? Accident.none : Accident.allCases.randomElement(using: &random)!
    if accident == .cut { cut(input) }
    var options = options()
    options.settles = isCareful || Bool.random(using: &random)
    if accident == .rollDeath, !options.settles { accident = .none }
    note("stream \(start)..<\(arrivedCount), settling \(options.settles), \(accident)")
    let victim = Int.random(in: 0..<log.variant.shardCount, using: &random)
    for shard in 0..<log.variant.shardCount {
      // Where the input is cut it is so for all.
      try run(Shard(shard), input, options, shard == victim || accident == .cut ? accident : .none)
    }
  }

  private func options() -> LiveRun.Options {
    var options = LiveRun.Options()
    options.log.segmentByteCount = Int.random(in: 0..<3, using: &random) == 0 ? 1 : 1 << 20
    options.roll.indexing.threads = 1
    options.files = files
    return options
  }

  private enum Accident: CaseIterable {
    /// All goes well.
    case none
    /// The stage before dies.
    case cut
    /// The process dies; what it wrote stays.
    case kill
    /// The machine dies.
    case powerCut
    /// The process dies between two steps of a roll.
    case rollDeath
  }

  private func cut(_ path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return }
    unsafe truncate(path, off_t(Int64.random(in: 0...Int64(status.st_size), using: &random)))
  }

  /// Between two steps of a roll others do their work, or the process dies.
  private func observe(_ step: LiveRollStep, _ accident: Accident, _ seed: UInt64) throws {
    if files.isDead { throw Death() }
    var random = SeededRandom(
      seed: seed &+ UInt64(truncatingIfNeeded: "\(step)".utf8.reduce(0) { $0 &* 31 &+ Int($1) }))
    if accident == .rollDeath, Bool.random(using: &random) { throw Death() }
    if Int.random(in: 0..<4, using: &random) == 0 {
      note("after \(step):")
      // The log is in use: nobody else brings it in.
      try Bool.random(using: &random) ? backfill(&random) : compact(store, months: Bool.random(using: &random))
    }
  }

  private func run(_ shard: Shard, _ input: String, _ given: LiveRun.Options, _ accident: Accident) throws {
    let acknowledgements = folder.path + "/acknowledgements"
    let descriptor = unsafe open(acknowledgements, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var options = given
    options.acknowledgements = descriptor
    if accident == .kill || accident == .powerCut { files.die(afterCalls: Int.random(in: 0..<30, using: &random)) }
    let rollSeed = random.next()
    // SAFETY: the roller's thread has no part in what this one changes meanwhile.
    nonisolated(unsafe) let run = self
    options.roll.observe = { step in try unsafe run.observe(step, accident, rollSeed) }
    do {
      _ = try LiveRun(store, definitions: definitions, shard: shard, options: options)
        .run(StageOptions(inputs: [input], threads: 1))
    } catch {
      guard accident != .none else { throw error }
      note("\(error)")
    }
    close(descriptor)
    files.revive()
    if accident == .powerCut { files.cutPower(&random) }
    try readAcknowledgements(acknowledgements, of: shard)
  }

  private func readAcknowledgements(_ path: String, of shard: Shard) throws {
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    var reader = FrameReader(fileDescriptor: descriptor)
    while let (frame, _) = try reader.nextFrame() {
      if case .control(.position(_, _, let offset)) = frame {
        acknowledged[shard.number] = max(acknowledged[shard.number], offset)
      }
    }
  }

  // MARK: Batch

  /// A batch run over some days, whose input is all that had arrived at some moment not long ago.
  private func backfill(_ random: inout SeededRandom) throws {
    let now = arrivedCount > 0 ? log.lines[arrivedCount - 1].arrivalMillis : 0
    // Retractions that compaction let go of must be in the input.
    let moments = log.moments.filter { count in
      count <= arrivedCount
        && (count == 0 ? arrivedCount == 0 : log.lines[count - 1].arrivalMillis >= now - log.variant.latenessMillis)
    }
    guard let count = moments.suffix(Int.random(in: 1...4, using: &random)).first else { return }
    try backfill(Self.days(&random), of: count)
  }

  private func backfill(_ range: DayRange, of count: Int) throws {
    guard log.variant.hasArrival || !isAmbiguous(range, count) else { return }
    note("backfill \(range) of \(count) lines")
    try batch(of: count, into: store, replacing: range)
  }

  /// Some days in a row, or all.
  private static func days(_ random: inout SeededRandom) -> DayRange {
    let first = Int.random(in: 0..<RandomLog.dayCount, using: &random)
    let last = Int.random(in: first..<RandomLog.dayCount, using: &random)
    let day = Day(micros: RandomLog.startMillis * 1_000).number
    return Int.random(in: 0..<6, using: &random) == 0
      ? .all : .days(Day(day + Int32(first))...Day(day + Int32(last)))
  }

  /// Without times of arrival nobody can tell a row that a batch run has not seen from one that it left out: days that
  /// lines are still to come for cannot be replaced.
  private func isAmbiguous(_ range: DayRange, _ count: Int) -> Bool {
    log.lines[count...].contains { line in
      line.event.map { range == .all || range.contains($0.day) } ?? false
    }
  }

  private func batch(of count: Int, into store: StoreDirectory, replacing range: DayRange) throws {
    var whole = SeededRandom(seed: 1)
    let input = try filter(LogSource(log, 0..<count, &whole), named: "batch \(count)")
    var indexing = StoreIndexer.Options()
    indexing.threads = 1
    // An input without rows says nothing of when it was taken.
    let hasRows = log.lines[..<count].contains { $0.event?.passesFilter ?? false }
    if log.variant.hasArrival, !hasRows {
      indexing.horizonMicros = count > 0 ? log.lines[count - 1].arrivalMillis * 1_000 : 0
    }
    _ = try IndexRun(store, definitions: definitions, replacing: range, acceptsPartial: false)
      .run(StageOptions(inputs: [input], threads: 1), assembly: AssemblyOptions(), indexing: indexing)
  }

  /// Runs text through the filter into a file of frames.
  private func filter(_ source: LogSource, named name: String) throws -> String {
    let source = source
    let raw = definitions.sources[0]
    var stage = try PipelineStage.filter(
      definitions.eventTypes, source: raw, definitions: definitions, keepsRetractions: true)
    // Frames of one shard's events, or of any: writers take their part of either.
    if log.variant.shardCount > 1, log.lines.count % 2 == 0 {
      stage = stage.routed(to: ShardRouter(count: log.variant.shardCount))
    }
    var options = StageOptions(inputs: [], threads: 1, format: .frames, level: 0)
    options.output = "\(folder.path)/\(name).frames"
    _ = try StageRun(stage, options: options, source: source).run()
    return options.output
  }

  // MARK: Upkeep

  private func compact(_ store: StoreDirectory, months: Bool) throws {
    var options = Compaction.Options()
    options.readingMillis = 0
    options.monthsAfterDays = 1
    options.nowMicros = (RandomLog.startMillis + (months ? 40 : 0) * RandomLog.dayMillis) * 1_000
    note("compact \(store.path.split(separator: "/").last!)\(months ? " into months" : "")")
    let compaction = Compaction(store, definitions: definitions, options)
    for name in try store.datasetNames() { try compaction.run(name) { _ in } }
  }

  // MARK: What came of it

  private func problem(of store: StoreDirectory) throws -> String? {
    for name in try store.datasetNames() {
      let found = try DatasetVerification(StoreSnapshot(store), dataset: name).problems
      if !found.isEmpty { return "\(name): \(found)" }
    }
    return nil
  }

  /// All rows, and all users' sequences, as the stores' readers give them out.
  private func differences() throws -> String? {
    for name in ["events", "views"] {
      let found = Self.difference(try scan(store, name), try scan(batchStore, name))
      if let found { return "\(name): \(found)\n\(lines(about: found))" }
    }
    return Self.difference(try sequences(store), try sequences(batchStore)).map { "sequences: \($0)" }
  }

  private func scan(_ store: StoreDirectory, _ dataset: String) throws -> [String] {
    guard try store.datasetNames().contains(dataset) else { return [] }
    var rows: [String] = []
    try DatasetScan(StoreSnapshot(store), dataset: dataset).forEachBatch { rows += $0.allRows.map(\.text) }
    return rows.sorted()
  }

  private func sequences(_ store: StoreDirectory) throws -> [String] {
    let plan = try SequencePlan(definitions.sequence("all")!, in: definitions)
    let reader = SequenceReader(try StoreSnapshot(store))
    return try (0..<4).flatMap { user in
      let id: UserID = log.variant.hasTextUsers ? .text("user \(user)") : .integer(Int64(user))
      let request = SequenceRequest(user: id, last: 1_000, columns: plan.columns)
      return try reader.read(request, of: plan).events.allRows.map { "\(user): \($0.text)" }
    }
  }

  /// The tables as they are, all columns.
  private func contentDifference() throws -> String? {
    for name in ["events", "views"] {
      func content(_ store: StoreDirectory) throws -> [String] {
        guard try store.datasetNames().contains(name) else { return [] }
        let table = store.dataset(name)
        return try table.batches(of: table.snapshot()).flatMap { $0.allRows.map(\.text) }.sorted()
      }
      if let found = Self.difference(try content(store), try content(batchStore)) { return "\(name): \(found)" }
    }
    return nil
  }

  /// Sorted lists' differences, the streamed one first.
  private static func difference(_ streamed: [String], _ batch: [String]) -> String? {
    guard streamed != batch else { return nil }
    let changes = streamed.difference(from: batch)
    return changes.map { change in
      switch change {
      case .insert(_, let row, _): "only streamed: \(row)"
      case .remove(_, let row, _): "only in the batch: \(row)"
      }
    }.joined(separator: "\n")
  }

  /// The lines about the events that rows differ in.
  private func lines(about difference: String) -> String {
    log.lines.enumerated().filter { _, line in
      guard let id = line.event?.id else { return false }
      return difference.contains("\"event_key\":\(Self.key(of: id))")
    }.map { "line \($0), at \($1.arrivalMillis): \($1.text)" }.joined(separator: "\n")
  }

  private static func key(of id: Int) -> Int64 {
    let bytes = Array("e\(id)".utf8)
    return unsafe Int64(bitPattern: XXHash64.hash(bytes.span.bytes))
  }
}

/// What a process does that is killed.
private struct Death: Error {}

/// The store does not do what it says.
private struct BrokenPromise: Error {
  var what: String
}

/// A part of a log in random pieces, with its positions: the number of lines.
private final class LogSource: StageSource {
  private var units: [InputUnit] = []

  init(_ log: RandomLog, _ range: Range<Int>, _ random: inout SeededRandom) throws {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(range.upperBound, start + Int.random(in: 1...12, using: &random))
      let bytes = Buffer(Array(log.text(start..<end).utf8))
      var text = TextStream(source: "log", limit: 1 << 20, prefix: bytes, hasMore: { false }, read: { _ in })
      while let block = try text.next() { units.append(.text(block)) }
      if end == range.upperBound || Bool.random(using: &random) {
        units.append(.position(.position(source: "log", partition: nil, offset: Int64(end))))
      }
      start = end
    }
    units.reverse()
  }

  func next() -> InputUnit? { units.popLast() }
}
