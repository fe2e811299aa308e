import Buffers
import Testing

@Suite struct Murmur3Tests {
  /// The examples of Iceberg's specification, "Appendix B: 32-bit Hash Requirements".
  @Test func examplesOfTheSpecification() {
    #expect(Murmur3.hash(34) == 2_017_239_379)
    #expect(Self.hash("iceberg") == 1_210_000_089)
    #expect(Self.hash("") == 0)
  }

  @Test(arguments: [0, 1, -1, .min, .max, 1_234_567_890_123])
  func aNumberIsItsBytes(number: Int64) {
    let bytes = Buffer([number.littleEndian])
    #expect(Murmur3.hash(number) == Murmur3.hash(bytes.bytes))
  }

  /// Every length of the last part of a word.
  @Test func wordsAreCutAnywhere() {
    #expect(
      ["a", "ab", "abc", "abcd", "abcde"].map(Self.hash) == [
        0x3C25_69B2, 0x9BBF_D75F, 0xB3DD_93FA, 0x43ED_676A, 0xE89B_9AF6,
      ])
  }

  private static func hash(_ text: String) -> UInt32 {
    let bytes = Buffer(Array(text.utf8))
    return Murmur3.hash(bytes.bytes)
  }
}
