import Buffers

/// A 64-bit hash for tables in memory: fast and well mixed, the same in every process, but no checksum and no format.
///
/// - Source: the construction of wyhash (Wang Yi), multiply 64 × 64 bits and fold.
public enum Hash64 {
  @usableFromInline static var key0: UInt64 { 0xA076_1D64_78BD_642F }
  @usableFromInline static var key1: UInt64 { 0xE703_7ED1_A0B4_28DB }
  @usableFromInline static var key2: UInt64 { 0x8EBC_6AF0_9C88_C6E3 }
  @usableFromInline static var key3: UInt64 { 0x5899_65CC_7537_4CC3 }

  /// What a null hashes to.
  public static let null: UInt64 = 0x1D8E_4E27_C47D_124F

  @inlinable @inline(__always) static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  /// The hash of an integer, the same whatever its width in memory.
  @inlinable @inline(__always) public static func of(_ value: Int64) -> UInt64 {
    fold(UInt64(bitPattern: value) ^ key0, key1)
  }

  /// A hash of two, in this order.
  @inlinable @inline(__always) public static func combine(_ a: UInt64, _ b: UInt64) -> UInt64 {
    fold(a ^ key2, b ^ key3)
  }

  /// The hash of `count` bytes.
  /// - Note: unsafe because nothing checks that there are so many.
  @unsafe @inlinable @inline(__always) public static func of(_ bytes: UnsafeRawPointer, count: Int) -> UInt64 {
    if count > 16 { return unsafe ofLong(bytes, count: count) }
    let (a, b) = unsafe short(bytes, count: count)
    return fold(key1 ^ UInt64(count), fold(a ^ key1, b ^ key0))
  }

  @inlinable public static func of(_ bytes: RawSpan) -> UInt64 {
    unsafe bytes.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress {
        unsafe of(base, count: bytes.count)
      } else {
        fold(key1, fold(key1, key0))
      }
    }
  }

  /// 0...16 bytes as two words.
  @unsafe @inlinable @inline(__always)
  static func short(_ bytes: UnsafeRawPointer, count: Int) -> (UInt64, UInt64) {
    if count >= 4 {
      let middle = (count &>> 3) &<< 2
      let a = unsafe UInt64(word32(bytes, 0)) &<< 32 | UInt64(word32(bytes, middle))
      let b = unsafe UInt64(word32(bytes, count &- 4)) &<< 32 | UInt64(word32(bytes, count &- 4 &- middle))
      return (a, b)
    }
    if count == 0 { return (0, 0) }
    let first = UInt64(unsafe bytes.load(as: UInt8.self))
    let middle = UInt64(unsafe bytes.load(fromByteOffset: count &>> 1, as: UInt8.self))
    let last = UInt64(unsafe bytes.load(fromByteOffset: count &- 1, as: UInt8.self))
    return (first &<< 16 | middle &<< 8 | last, 0)
  }

  @unsafe @inlinable @inline(__always) static func word32(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt32 {
    unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }

  @unsafe @inlinable @inline(__always) static func word64(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  @unsafe @usableFromInline static func ofLong(_ bytes: UnsafeRawPointer, count: Int) -> UInt64 {
    var (lane0, lane1, lane2) = (key0, key0, key0)
    var offset = 0
    while count &- offset > 48 {
      lane0 = unsafe fold(word64(bytes, offset) ^ key1, word64(bytes, offset &+ 8) ^ lane0)
      lane1 = unsafe fold(word64(bytes, offset &+ 16) ^ key2, word64(bytes, offset &+ 24) ^ lane1)
      lane2 = unsafe fold(word64(bytes, offset &+ 32) ^ key3, word64(bytes, offset &+ 40) ^ lane2)
      offset &+= 48
    }
    var seed = lane0 ^ lane1 &* 3 ^ lane2 &* 5
    while count &- offset > 16 {
      seed = unsafe fold(word64(bytes, offset) ^ key1, word64(bytes, offset &+ 8) ^ seed)
      offset &+= 16
    }
    let a = unsafe word64(bytes, count &- 16)
    let b = unsafe word64(bytes, count &- 8)
    return fold(key1 ^ UInt64(count), fold(a ^ key1, b ^ seed))
  }
}
