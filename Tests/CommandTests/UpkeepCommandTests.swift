import TestSupport
import Testing

/// `seq-store`'s upkeep in processes of its own, beside those that write.
@Suite struct UpkeepCommandTests {
  private let folder = TemporaryDirectory()

  /// Clicks of three days, some of them corrected, moved or taken back.
  private static func lines(_ count: Int) -> [String] {
    var random = SeededRandom(seed: 11)
    return (0..<count).flatMap { number -> [String] in
      let id = "e\(number)"
      let ts = Int(random.next() % 3) * 86_400_000 + Int(random.next() % 1_000_000)
      let first = RevisionTests.click(id, 0, ms: 2_000 + number, ts: ts)
      switch random.next() % 5 {
      case 0: return [first, RevisionTests.click(id, 1, ms: 10, ts: ts)]
      case 1: return [first, RevisionTests.click(id, 1, ms: 3_000, ts: (ts + 86_400_000) % 259_200_000)]
      default: return [first]
      }
    }
  }

  @Test func writersAndUpkeepLeaveWhatOneBatchLeaves() throws {
    var random = SeededRandom(seed: 12)
    let lines = Self.lines(600).shuffled(using: &random)
    folder.write(lines.joined(separator: "\n") + "\n", to: "log.ndjson")
    for part in 0..<8 {
      let own = lines.indices.filter { $0 % 8 == part }.map { lines[$0] }
      folder.write(own.joined(separator: "\n") + "\n", to: "part\(part).ndjson")
    }
    let result = try Shell.run(
      """
      events() { seq-filter "$1" 2>> errors | seq-enrich --tables "$FIXTURES" 2>> errors; }
      rows() { seq-store cat clicks --store $1 --format ndjson | sort; }
      events log.ndjson | seq-index --store one --replace all 2>> errors
      events part0.ndjson | seq-index --store many --replace 2020-01-01 2>> errors
      day=$(ls one/datasets/clicks | grep -o '20..-..-..' | sort | sed -n 2p)
      for writer in 1 2; do
        (for part in $((writer * 3 - 2)) $((writer * 3 - 1)) $((writer * 3)); do
          events part$part.ndjson | seq-index --store many --replace 2020-01-01 2>> errors || echo "writer failed"
        done) &
      done
      (for round in 1 2 3; do events log.ndjson | seq-index --store many --replace $day 2>> errors || echo "batch failed"; done) &
      for round in 1 2; do
        (for turn in 1 2 3 4; do seq-store compact --store many > /dev/null 2>> errors || echo "compact failed"; done) &
      done
      (for turn in 1 2 3 4 5; do seq-store upkeep --store many --grace 1h > /dev/null 2>> errors || echo "upkeep failed"; done) &
      wait
      events part7.ndjson | seq-index --store many --replace 2020-01-01 2>> errors
      cmp <(rows one) <(rows many) && echo "the same before"
      seq-store compact --store many > /dev/null
      cmp <(rows one) <(rows many) && echo "the same after"
      seq-store verify --store many 2>> errors || echo unsound
      seq-store upkeep --store many --grace 1h | grep -v '^profile'
      """, in: folder.path,
      environment: ["FIXTURES": Fixtures.directory, "SEQ_DEFINITIONS": try Fixtures.shopDefinitions()])
    let errors = SharedData.contents(of: folder.path + "/errors").map { String(decoding: $0, as: UTF8.self) } ?? ""
    #expect(result.lines == ["the same before", "the same after"], "\(result)\n\(errors.suffix(2_000))")
  }
}
