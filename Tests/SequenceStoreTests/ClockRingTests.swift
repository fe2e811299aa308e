import SequenceStore
import TestSupport
import Testing

@Suite struct ClockRingTests {
  /// Adds an element of some bytes to a ring whose elements say whether they were used, in room for so many bytes.
  private func add(_ key: Int, _ byteCount: Int, to ring: inout ClockRing<Int, Bool>, room: Int) {
    ring.makeRoom(room - byteCount) { isUsed in
      defer { isUsed = false }
      return !isUsed
    }
    ring.add(byteCount, to: key, false)
  }

  private func has(_ ring: inout ClockRing<Int, Bool>, _ key: Int) -> Bool { ring.use(key) { _ in true } != nil }

  @Test func whatCameLastStays() {
    var ring = ClockRing<Int, Bool>()
    for key in 0..<1_000 { add(key, 1, to: &ring, room: 10) }
    #expect((0..<1_000).filter { has(&ring, $0) } == Array(990..<1_000))
  }

  @Test func whatIsUsedStays() {
    var ring = ClockRing<Int, Bool>()
    for key in 0..<1_000 {
      add(key, 1, to: &ring, room: 10)
      ring.use(3) { $0 = true }
    }
    #expect(has(&ring, 3) && has(&ring, 999) && ring.count == 10)
    for key in 1_000..<1_020 { add(key, 1, to: &ring, room: 10) }
    #expect(!has(&ring, 3), "it was not used any more")
  }

  @Test(arguments: UInt64(1)...5) func bytesAreCounted(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var ring = ClockRing<Int, Bool>()
    for _ in 0..<2_000 {
      let key = Int.random(in: 0..<50, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: ring.remove(key)
      case 1: ring.use(key) { $0 = true }
      default: add(key, Int.random(in: 1...40, using: &random), to: &ring, room: 300)
      }
      #expect(ring.byteCount <= 300 && ring.count == (0..<50).count { has(&ring, $0) })
    }
    for key in 0..<50 { ring.remove(key) }
    #expect(ring.byteCount == 0 && ring.count == 0)
  }
}
