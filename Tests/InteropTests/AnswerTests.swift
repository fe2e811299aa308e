import JSONText
import TestSupport
import Testing

/// Answers of seq-serve open in pyarrow.
@Suite(.enabled(if: Peer.isPresent, "no Python with the other engines is set up"))
struct AnswerTests {
  @Test func pyarrowReadsAnAnswerAsItsJSONSays() throws {
    let made = try ExampleStore.engagement()
    let server = try RunningServer(["--store", made.store], in: made.path)
    var total: Int64 = 0
    for user in try made.users("engagements").prefix(3) + [-1] {
      let url = "\(server.url)/v1/sequences/home_feed/users/\(user)?until=2026-11-21T00:00:00Z"
      let answer = try Peer.run("answer", url)
      #expect(answer["json"]?["count"] == answer["arrow"]?["count"])
      #expect(answer["json"]?["checksum"] == answer["arrow"]?["checksum"], "user \(user)")
      #expect(answer["metadata"]?["seq.sequence"] == "home_feed@1")
      total += answer["json"]?["count"]?.integer ?? 0
    }
    #expect(total > 100)
  }
}
