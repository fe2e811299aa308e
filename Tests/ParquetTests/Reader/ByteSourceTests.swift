import Buffers
import Parquet
import Synchronization
import TestSupport
import Testing

@Suite struct ByteSourceTests {
  /// Notes what it was asked for.
  private final class Recorder: ByteSource {
    let content: Buffer
    let asked = Mutex<[Range<Int>]>([])
    let announced = Mutex<[Range<Int>]>([])

    init(_ content: Buffer) { self.content = content }

    var byteCount: Int { content.byteCount }

    func read(_ range: Range<Int>) throws -> Buffer {
      asked.withLock { $0.append(range) }
      return try content.read(range)
    }

    func willRead(_ ranges: ArraySlice<Range<Int>>) {
      #expect(asked.withLock { $0.isEmpty })
      announced.withLock { $0 += ranges }
    }
  }

  private let content = Buffer((0..<40_000).map { UInt16(truncatingIfNeeded: $0 &* 31) })

  @Test func rangesThatFollowEachOtherCloselyAreReadAtOnce() throws {
    let source = Recorder(content)
    let ranges = [0..<10, 10..<30, 1_000..<2_000, 6_096..<6_100, 10_197..<10_200, 0..<5, 5..<5, 70_000..<80_000]
    let found = try source.read(ranges)
    #expect(found == ranges.map { content.slice($0) })
    #expect(source.asked.withLock { $0 } == [0..<6_100, 10_197..<10_200, 0..<5, 70_000..<80_000])
    #expect(source.announced.withLock { $0 } == [10_197..<10_200, 0..<5, 5..<5, 70_000..<80_000])
    #expect(try source.read([]).isEmpty)
  }

  @Test func anyRangesAreWhatTheSourceHasThere() throws {
    var random = SeededRandom(seed: 5)
    for _ in 0..<200 {
      let ranges = (0..<Int.random(in: 0...20, using: &random)).map { _ in
        let start = Int.random(in: 0...content.byteCount, using: &random)
        return start..<min(content.byteCount, start + Int.random(in: 0...9_000, using: &random))
      }
      #expect(try Recorder(content).read(ranges) == ranges.map { content.slice($0) })
    }
  }
}
