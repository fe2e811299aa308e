import CommandSupport
import Testing

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("1000000", 1_000_000), ("1", 1), ("0", 0), ("512M", 512 << 20), ("4g", 4 << 30), ("7K", 7 << 10), ("2T", 2 << 40),
    ("9007199254740991K", 9_007_199_254_740_991 << 10),
  ])
  func numbersWithUnitsAreRead(text: String, bytes: Int) {
    #expect(ByteCount(argument: text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", "K", "-1", "1.5G", "1GB", "G1", "1 G", "９", "9223372036854775808", "9007199254740992K", "9999999T",
  ])
  func whatIsNoNumberOfBytesIsRefused(text: String) {
    #expect(ByteCount(argument: text) == nil)
  }

  @Test(arguments: [(1 << 30, "1G"), (1536 << 20, "1536M"), (3 << 10, "3K"), (1_000, "1000")])
  func aNumberIsShownAsItIsWritten(bytes: Int, text: String) {
    #expect(ByteCount(bytes).defaultValueDescription == text)
    #expect(ByteCount(argument: text)?.bytes == bytes)
  }
}
