import JSONText
import Serving
import Testing

@Suite struct FairQueueTests {
  /// Serves all work, each piece of which takes as many nanoseconds as it says; answers the owners in order.
  private func serve(_ queue: inout FairQueue<(owner: Int, nanoseconds: Int64)>, _ count: Int) -> [Int] {
    (0..<count).compactMap { _ in
      guard let (work, turn) = queue.next() else { return nil }
      queue.finish(turn, nanoseconds: work.nanoseconds)
      return work.owner
    }
  }

  @Test func ownWorkIsDoneInItsOrder() {
    var queue = FairQueue<Int>()
    for number in 0..<10 { queue.append(number, of: 1) }
    #expect((0..<10).compactMap { _ in queue.next()?.work } == Array(0..<10))
    #expect(queue.next() == nil && queue.count == 0)
  }

  @Test func whoAsksForMuchDoesNotDelayWhoAsksForLittle() {
    var queue = FairQueue<(owner: Int, nanoseconds: Int64)>()
    for _ in 0..<1_000 { queue.append((1, 100), of: 1) }
    _ = serve(&queue, 10)
    for _ in 0..<3 { queue.append((2, 100), of: 2) }
    #expect(serve(&queue, 6).filter { $0 == 2 }.count == 3)
    #expect(queue.count == 987)
  }

  @Test func sharesAreOfTimeNotOfPieces() {
    var queue = FairQueue<(owner: Int, nanoseconds: Int64)>()
    for _ in 0..<1_000 {
      queue.append((1, 1_000), of: 1)
      queue.append((2, 100), of: 2)
    }
    let owners = serve(&queue, 550)
    let large = owners.filter { $0 == 1 }.count
    #expect((40...65).contains(large), "\(large) of 550 pieces that take ten times as long")
  }

  @Test func nobodySavesTimeUp() {
    var queue = FairQueue<(owner: Int, nanoseconds: Int64)>()
    for _ in 0..<100 { queue.append((1, 100), of: 1) }
    _ = serve(&queue, 100)
    for _ in 0..<100 {
      queue.append((1, 100), of: 1)
      queue.append((2, 100), of: 2)
    }
    let owners = serve(&queue, 40)
    #expect((18...22).contains(owners.filter { $0 == 2 }.count))
  }

  /// With work of random sizes from random owners, none of which asks at all times, all of it is done.
  @Test func allWorkIsDone() {
    var random = SystemRandomNumberGenerator()
    var queue = FairQueue<(owner: Int, nanoseconds: Int64)>()
    var (given, done) = (0, 0)
    for _ in 0..<5_000 {
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let owner = Int.random(in: 0..<600, using: &random)
        queue.append((owner, Int64.random(in: 0...1_000_000, using: &random)), of: owner)
        given += 1
      }
      done += serve(&queue, 1).count
    }
    done += serve(&queue, given).count
    #expect(done == given && queue.count == 0)
  }
}
