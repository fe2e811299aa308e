import Buffers
import TestSupport
import Testing

@Suite struct BitmapTests {
  @Test(arguments: [0, 1, 7, 8, 63, 64, 65, 127, 128, 1_000])
  func aSliceHoldsTheBitsOfItsRange(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    let bits = (0..<count).map { _ in Bool.random(using: &random) }
    let bitmap = Bitmap(bits)
    #expect(bitmap.setBitCount == bits.count { $0 })
    for start in [0, 1, count / 3, count / 2, count] where start <= count {
      let slice = bitmap.slice(start..<count)
      #expect((0..<slice.count).map { slice[$0] } == Array(bits[start...]))
      #expect(slice.normalized == slice)
      #expect(slice.inverted().setBitCount == slice.count - slice.setBitCount)
    }
  }

  @Test func truncatingKeepsTheFirstBits() {
    for keep in [0, 1, 63, 64, 65, 130] {
      var builder = BitmapBuilder()
      for index in 0..<130 { builder.append(index % 3 == 0) }
      builder.truncate(to: keep)
      builder.append(true)
      let bitmap = builder.take()
      #expect((0..<keep).allSatisfy { bitmap[$0] == ($0 % 3 == 0) })
      #expect(bitmap.count == keep + 1 && bitmap[keep])
    }
  }
}
