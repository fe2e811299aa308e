import Buffers
import TestSupport
import Testing

@Suite struct PackedBuffersTests {
  @Test func copiesLieInOnePieceAndStay() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<100 {
      let buffers = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        Buffer((0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
      }
      let size = buffers.reduce(0) { $0 + PackedBuffers.byteCount(of: $1) }
      #expect(size <= buffers.reduce(0) { $0 + $1.byteCount + 7 })
      var packed = PackedBuffers(capacity: size)
      var copies: [Buffer] = []
      for buffer in buffers { copies.append(packed.append(buffer)) }
      #expect(copies == buffers)
      #expect(copies.allSatisfy { $0.isAligned(to: 8) })
      #expect(packed.memoryByteCount >= size)
    }
  }
}
