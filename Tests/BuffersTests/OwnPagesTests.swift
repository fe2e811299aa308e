import Buffers
import Testing

@Suite struct OwnPagesTests {
  @Test(arguments: [0, 1, 4_095, 4_096, 4_097, (2 << 20) - 1, 2 << 20, (5 << 20) + 3])
  func theBytesAreTheSame(byteCount: Int) {
    var builder = BufferBuilder(capacity: byteCount)
    for index in 0..<byteCount { builder.append(UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8)) }
    let bytes = builder.finish()
    let own = bytes.inOwnPages()
    #expect(own == bytes)
    #expect(byteCount == 0 || !own.isIdentical(to: bytes))
    #expect(own.slice(byteCount / 2..<byteCount) == bytes.slice(byteCount / 2..<byteCount))
    #expect(own.inOwnPages().isIdentical(to: own), "it has them already")
  }

  @Test(arguments: [[], [0], [5, 0, 7], [3 << 20, 1, (5 << 20) + 7, 0]])
  func joinedBytesFollowEachOther(byteCounts: [Int]) {
    let buffers = byteCounts.enumerated().map { Buffer([UInt8](repeating: UInt8($0 + 1), count: $1)) }
    let joined = Buffer.joining(buffers)
    var start = 0
    for buffer in buffers {
      #expect(joined.slice(start..<start + buffer.byteCount) == buffer)
      start += buffer.byteCount
    }
    #expect(joined.byteCount == start)
  }
}
