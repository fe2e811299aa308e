import Buffers
import TestSupport
import Testing

@Suite struct PackedIntegersTests {
  @Test(
    arguments: [
      (0...0, 1, 1), (5...260, 1, 1), (5...261, 1, 2), (-7...65_528, 1, 2), (-7...65_529, 1, 4),
      (0...255_000, 1_000, 1), (0...256_000, 1_000, 2), (1_790_000_000_000_000...1_790_259_200_000_000, 1_000, 4),
      (1_790_000_000_000_000...1_790_259_200_000_000, 1, 8), (.min ... .max, 1, 8),
    ] as [(ClosedRange<Int64>, Int64, Int)])
  func packingKeepsWhatItIsGiven(range: ClosedRange<Int64>, unit: Int64, width: Int) {
    var random = SeededRandom(seed: 3)
    var values = (0..<1_000).map { _ in
      let value = Int64.random(in: range, using: &random)
      return unit == 1 ? value : range.lowerBound + (value - range.lowerBound) / unit * unit
    }
    (values[3], values[900]) = (range.lowerBound, range.upperBound)
    let packed = PackedIntegers(values)
    #expect(values.indices.map { packed[$0] } == values)
    #expect(packed.byteCount == width * values.count)
  }

  @Test func noneTakeNothing() { #expect(PackedIntegers([]).byteCount == 0) }
}
