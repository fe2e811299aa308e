/// Murmur3, the 32-bit variant for x86, with seed 0: the hash behind Iceberg's bucket transform.
///
/// - Source: Austin Appleby's `MurmurHash3_x86_32`; Iceberg "Appendix B: 32-bit Hash Requirements".
public enum Murmur3 {
  public static func hash(_ bytes: RawSpan) -> UInt32 {
    var state: UInt32 = 0
    var offset = 0
    while offset + 4 <= bytes.byteCount {
      state = mixed(state, unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset += 4
    }
    var tail: UInt32 = 0
    for (place, rest) in (offset..<bytes.byteCount).enumerated() {
      tail |= UInt32(unsafe bytes.unsafeLoad(fromByteOffset: rest, as: UInt8.self)) << UInt32(8 * place)
    }
    return finished(offset < bytes.byteCount ? state ^ scrambled(tail) : state, byteCount: bytes.byteCount)
  }

  /// The hash of the number's eight bytes, the lowest first.
  @inlinable public static func hash(_ number: Int64) -> UInt32 {
    let bits = UInt64(bitPattern: number)
    return finished(
      mixed(mixed(0, UInt32(truncatingIfNeeded: bits)), UInt32(truncatingIfNeeded: bits >> 32)), byteCount: 8)
  }

  @inlinable static func mixed(_ state: UInt32, _ word: UInt32) -> UInt32 {
    rotated(state ^ scrambled(word), by: 13) &* 5 &+ 0xE654_6B64
  }

  @inlinable static func scrambled(_ word: UInt32) -> UInt32 { rotated(word &* 0xCC9E_2D51, by: 15) &* 0x1B87_3593 }

  @inlinable static func rotated(_ word: UInt32, by count: UInt32) -> UInt32 {
    word << count | word >> (32 - count)
  }

  @inlinable static func finished(_ state: UInt32, byteCount: Int) -> UInt32 {
    var hash = state ^ UInt32(truncatingIfNeeded: byteCount)
    hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
    hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
    return hash ^ hash >> 16
  }
}
