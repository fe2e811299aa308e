import Buffers
import TestSupport
import Testing

@Suite struct XXHash64Tests {
  /// Computed with the reference implementation.
  @Test(
    arguments: [
      ("", 0, 0xEF46_DB37_51D8_E999), ("a", 0, 0xD24E_C4F1_A98C_6E5B), ("abc", 0, 0x44BC_2CF5_AD77_0999),
      ("0123456789abcdef0123456789abcdef0123456789", 7, 0x9CDB_6129_259B_938E),
    ] as [(String, UInt64, UInt64)])
  func knownHashes(text: String, seed: UInt64, expected: UInt64) {
    let hash = XXHash64.hash(Buffer(Array(text.utf8)).bytes, seed: seed)
    #expect(hash == expected)
  }

  @Test(arguments: [0, 1, 3, 4, 7, 8, 15, 31, 32, 33, 63, 64, 65, 100, 1_000])
  func anyPiecesGiveTheHashOfTheWhole(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    let bytes = Buffer((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
    var hash = XXHash64(seed: 7)
    var start = 0
    while start < count {
      let end = min(count, start + Int.random(in: 0...40, using: &random))
      hash.update(bytes.slice(start..<end).bytes)
      start = end
    }
    let (pieces, whole) = (hash.digest(), XXHash64.hash(bytes.bytes, seed: 7))
    #expect(pieces == whole)
  }
}
