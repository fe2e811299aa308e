import Glibc
import TestSupport
import Testing

/// Events ten times larger than `--memory` go through all stages, each within the bound and a fixed amount.
@Suite(.serialized) struct MemoryTests {
  private let folder = TemporaryDirectory()

  private let limit = Commands.areOptimised ? 16 << 20 : 1 << 20
  /// Of each process: its code, and the frames and row groups that two threads have in hand.
  private let fixed = 200 << 20

  @Test func eventsLargerThanMemoryGiveTheSameTable() throws {
    let lineCount = limit / 14
    writeLog(lineCount: lineCount)
    let events = try Shell.run(
      "seq-filter --level 0 log.ndjson | wc -c", in: folder.path, environment: try environment())
    let byteCount = Int(events.lines.first ?? "") ?? 0
    try #require(byteCount >= 10 * limit, "\(byteCount) bytes of events are no ten times \(limit)")

    let bounded = try backfill("bounded", memory: "\(limit)")
    for process in bounded {
      #expect(process.hasSucceeded, "\(process)")
      #expect(process.peakByteCount > 1 << 20, "not measured: \(process)")
      #expect(process.peakByteCount <= limit + fixed, "\(process)")
    }
    #expect(!bounded[3].errors.contains(", 0 runs spilled"), "\(bounded[3])")
    let free = try backfill("free", memory: "4G")
    #expect(free.haveSucceeded, "\(free)")
    #expect(free[3].errors.contains(", 0 runs spilled"), "\(free[3])")
    let direct = try backfill("direct", memory: "\(limit)", isAssembled: false)
    #expect(direct.allSatisfy { $0.hasSucceeded && $0.peakByteCount <= limit + fixed }, "\(direct)")
    let tables = try Shell.run(
      "for s in bounded free direct; do seq-store cat clicks --store $s --format frames --columns item,text | sha256sum; done",
      in: folder.path)
    #expect(tables.hasSucceeded && tables.lines.count == 3 && Set(tables.lines).count == 1, "\(tables)")
    print(
      "peaks in MiB, --memory \(limit >> 20):", bounded.map { $0.peakByteCount >> 20 }, "and without seq-assemble",
      direct.map { $0.peakByteCount >> 20 }, "of \(byteCount >> 20) MiB")
  }

  private func backfill(_ store: String, memory: String, isAssembled: Bool = true) throws -> [FinishedProcess] {
    var stages = [
      ["seq-ingest", "\(folder.path)/log.ndjson"], ["seq-filter"], ["seq-enrich", "--tables", Fixtures.directory],
      ["seq-assemble", "--memory", memory, "--temporary-directory", folder.path],
      ["seq-index", "--store", "\(folder.path)/\(store)", "--replace", "all", "--memory", memory],
    ].map { $0 + ["--threads", "2"] }
    if !isAssembled { stages.remove(at: 3) }
    let environment = try environment().merging(["TMPDIR": folder.path]) { $1 }
    return try ProcessChain(stages, environment: environment).wait()
  }

  private func environment() throws -> [String: String] { ["SEQ_DEFINITIONS": try Fixtures.shopDefinitions()] }

  /// Clicks of three days, in the order of time, with a text that does not compress: about 180 bytes a row.
  private func writeLog(lineCount: Int) {
    guard let file = unsafe fopen("\(folder.path)/log.ndjson", "w") else { return }
    defer { unsafe fclose(file) }
    var random = SeededRandom(seed: 7)
    let step = 3 * 86_400_000 / lineCount
    for number in 0..<lineCount {
      let ts = 1_794_960_000_000 + number * step
      let text = (0..<8).map { _ in String(random.next(), radix: 36) }.joined()
      let user = random.next() % 5_000
      let line =
        "{\"id\":\"c\(number)\",\"type\":\"click\",\"rev\":0,\"ts\":\(ts),\"at\":\(ts + 50),\"user\":\(user),"
        + "\"item\":\(random.next() % 4),\"ms\":\(1_000 + random.next() % 9_000),\"text\":\"\(text)\"}\n"
      unsafe fputs(line, file)
    }
  }
}
