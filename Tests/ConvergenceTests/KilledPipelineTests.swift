import Glibc
import SequenceStore
import TestSupport
import Testing

/// The commands themselves, joined by pipes, of which some are killed again and again while others backfill and compact:
/// in the end the store has what one batch run over the whole log leaves.
@Suite(.serialized) struct KilledPipelineTests {
  private static let seeds: Range<Int> = {
    let soak = unsafe getenv("SEQLINE_SOAK").flatMap { unsafe Int(String(cString: $0)) }
    return 0..<(soak.map { $0 / 100 } ?? 4)
  }()

  @Test(arguments: seeds) func killedStagesAndBatchesLeaveWhatOneBatchLeaves(seed: Int) throws {
    let run = try PipelineRun(seed: UInt64(seed))
    for _ in 0..<5 { try run.round() }
    try run.finish()
    #expect(try run.difference() == "", "seed \(seed): \(run.trace)")
    try run.compact()
    #expect(try run.difference() == "", "seed \(seed), compacted: \(run.trace)")
  }
}

/// A log that grows, a pipeline that follows it into a store, and what disturbs them.
private final class PipelineRun {
  private let folder = TemporaryDirectory()
  private let log: RandomLog
  private var random: SeededRandom
  private var writtenCount = 0
  private(set) var trace: [String] = []

  init(seed: UInt64) throws {
    random = SeededRandom(seed: seed &+ 1_000_000)
    let variant = LogVariant.all.filter { $0.hasArrival && $0.shardCount == 1 }.randomElement(using: &random)!
    log = RandomLog(variant, eventCount: 150...300, &random)
    folder.write(variant.source, to: "definitions.py")
    folder.write("", to: "log.ndjson")
    try Shell.succeed("seq-config compile definitions.py -o definitions.json", in: folder.path)
  }

  private var environment: [String: String] {
    ["SEQ_DEFINITIONS": folder.path + "/definitions.json", "SEQ_STORE": folder.path + "/store"]
  }

  private var logFile: String { folder.path + "/log.ndjson" }

  private func start(_ commands: [[String]]) throws -> ProcessChain {
    trace.append(commands.map { $0.joined(separator: " ") }.joined(separator: " | "))
    return try ProcessChain(commands, environment: environment)
  }

  /// The pipeline runs for a while, the log grows, a batch run or upkeep comes between, and a stage or all are killed.
  func round() throws {
    let pipeline = try start([
      ["seq-ingest", "--follow", logFile, "--resume", folder.path + "/store"], ["seq-filter"],
      ["seq-index", "--segment-size", "2K", "--segment-age", "200ms"],
    ])
    let disturbance = writtenCount > log.lines.count / 4 ? try disturb() : nil
    for _ in 0..<Int.random(in: 2...6, using: &random) {
      try grow()
      pipeline.run(seconds: Double.random(in: 0...0.15, using: &random))
    }
    if Int.random(in: 0..<3, using: &random) == 0, let disturbance {
      disturbance.chain.kill(Int.random(in: 0..<disturbance.stageCount, using: &random))
    }
    try kill(pipeline)
    if let disturbance { check(disturbance.chain.wait()) }
  }

  /// Lines of whole moments, for a batch run takes what arrived until its latest row to be complete.
  private func grow() throws {
    let ends = log.moments.filter { $0 > writtenCount }
    guard let end = ends.prefix(Int.random(in: 1...30, using: &random)).last else { return }
    let text = Array(log.text(writtenCount..<end).utf8)
    let descriptor = unsafe open(logFile, O_WRONLY | O_APPEND)
    defer { close(descriptor) }
    guard unsafe write(descriptor, text, text.count) == text.count else {
      throw ProgramFailure(description: "the log cannot be written")
    }
    writtenCount = end
  }

  private func disturb() throws -> (chain: ProcessChain, stageCount: Int)? {
    switch Int.random(in: 0..<4, using: &random) {
    case 0, 1:
      let day = Day(micros: RandomLog.startMillis * 1_000).number + Int32.random(in: 0..<4, using: &random)
      let days = "\(Day(day))..\(Day(day + 1))"
      return (try start([["seq-ingest", logFile], ["seq-filter"], ["seq-index", "--replace", days]]), 3)
    case 2: return (try start([["seq-store", "compact"]]), 1)
    default: return nil
    }
  }

  private func kill(_ pipeline: ProcessChain) throws {
    let victim = Int.random(in: 0..<4, using: &random)
    trace.append("killed: \(victim == 3 ? "all" : "stage \(victim)")")
    if victim < 3 {
      pipeline.kill(victim)
      usleep(UInt32.random(in: 0..<50_000, using: &random))
      // A source that waits for lines does not notice that nobody listens.
      pipeline.kill(0)
    } else {
      for stage in 0..<3 { pipeline.kill(stage) }
    }
    check(pipeline.wait())
  }

  private func check(_ ended: [FinishedProcess]) {
    for process in ended {
      let isExpected = [.exited(0), .exited(2), .killed(signal: 9), .killed(signal: 13)].contains(process.end)
      #expect(isExpected, "\(process)\n\(trace)")
    }
  }

  /// All of the log is in the tables, and a batch run over it in a store of its own.
  func finish() throws {
    while writtenCount < log.lines.count { try grow() }
    let ended = try start([
      ["seq-ingest", logFile, "--resume", folder.path + "/store"], ["seq-filter"], ["seq-index", "--settle"],
    ]).wait()
    #expect(ended.haveSucceeded, "\(ended)\n\(trace)")
    try Shell.succeed(
      "seq-ingest log.ndjson | seq-filter | seq-index --store batch --replace all", in: folder.path,
      environment: environment)
  }

  func compact() throws {
    try Shell.succeed(
      """
      for store in store batch; do
        seq-store compact --store $store && seq-store verify --store $store >&2
      done
      """, in: folder.path, environment: environment)
  }

  /// Lines of `diff`.
  func difference() throws -> String {
    try Shell.run(
      """
      rows() { for d in $(ls $1/datasets); do seq-store cat $d --store $1 --format ndjson; done | sort; }
      diff <(rows store) <(rows batch)
      """, in: folder.path, environment: environment
    ).output
  }
}
