import Buffers
import Glibc

/// JSON text that grows at the end.
@safe package struct JSONOutput: ~Copyable {
  // SAFETY: `base` points to `capacity` + 64 bytes of which this value is the only owner; every write reserves its room first.
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  package private(set) var byteCount = 0

  package init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    unsafe base = .allocate(capacity: self.capacity + 64)
  }

  deinit { unsafe base.deallocate() }

  /// The text so far.
  package var bytes: RawSpan {
    @_lifetime(borrow self) get {
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The text so far as a buffer; this output starts anew, empty.
  package mutating func take() -> Buffer {
    let owner = unsafe BufferOwner(base) { memory in unsafe memory.deallocate() }
    let buffer = unsafe Buffer(owner: owner, byteCount: byteCount)
    (capacity, byteCount) = (64, 0)
    unsafe base = .allocate(capacity: 128)
    return buffer
  }

  package mutating func removeAll() { byteCount = 0 }

  /// Appends text as it is.
  package mutating func append(_ text: StaticString) {
    unsafe append(text.utf8Start, text.utf8CodeUnitCount)
  }

  package mutating func append(json text: String) {
    var text = text
    text.withUTF8 { bytes in
      if let start = bytes.baseAddress { unsafe append(start, bytes.count) }
    }
  }

  /// Appends `text` as a quoted string.
  package mutating func append(string text: String) {
    var text = text
    text.withUTF8 { bytes in unsafe appendString(bytes.baseAddress ?? UnsafePointer(base), bytes.count) }
  }

  @inline(__always) mutating func reserve(_ additional: Int) {
    if byteCount &+ additional > capacity { grow(byteCount + additional) }
  }

  @inline(never) private mutating func grow(_ needed: Int) {
    let larger = max(needed, capacity * 2)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + 64)
    unsafe memcpy(memory, base, byteCount)
    unsafe base.deallocate()
    unsafe base = memory
    capacity = larger
  }

  @inline(__always) mutating func append(_ byte: UInt8) {
    reserve(1)
    put(byte)
  }

  /// Appends a byte for which there is room.
  @inline(__always) mutating func put(_ byte: UInt8) {
    unsafe base[byteCount] = byte
    byteCount &+= 1
  }

  @inline(__always) mutating func append(_ source: UnsafePointer<UInt8>, _ count: Int) {
    reserve(count)
    unsafe memcpy(base + byteCount, source, count)
    byteCount &+= count
  }

  /// Appends text that is most often at most 32 bytes long, and readable to 32.
  @inline(__always) mutating func appendShort(_ source: UnsafePointer<UInt8>, _ count: Int) {
    reserve(max(count, 32))
    let target = unsafe UnsafeMutableRawPointer(base + byteCount)
    let from = unsafe UnsafeRawPointer(source)
    unsafe target.storeBytes(of: from.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    unsafe (target + 16).storeBytes(of: (from + 16).loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    if count > 32 { unsafe memcpy(target, from, count) }
    byteCount &+= count
  }

  // MARK: Strings

  /// Appends UTF-8 as a quoted string with the escapes that RFC 8259 demands; bytes that are no UTF-8 become U+FFFD.
  mutating func appendString(_ source: UnsafePointer<UInt8>, _ count: Int) {
    // A control character takes six bytes, and a bad byte three.
    reserve(6 * count + 10)
    put(UInt8(ascii: "\""))
    var offset = 0
    while offset < count {
      let plain = unsafe copyPlain(source + offset, count - offset)
      offset += plain
      if offset < count { offset += unsafe appendOdd(source + offset, count - offset) }
    }
    put(UInt8(ascii: "\""))
  }

  /// Copies bytes up to the first that is not plain ASCII, and answers how many.
  @inline(__always) private mutating func copyPlain(_ source: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var offset = 0
    while offset &+ 8 <= count {
      let word = unsafe UnsafeRawPointer(source + offset).loadUnaligned(as: UInt64.self)
      let odd = Self.oddBytes(word)
      unsafe UnsafeMutableRawPointer(base + byteCount).storeBytes(of: word, as: UInt64.self)
      guard odd == 0 else {
        let plain = odd.trailingZeroBitCount &>> 3
        byteCount &+= plain
        return offset &+ plain
      }
      byteCount &+= 8
      offset &+= 8
    }
    while offset < count, Self.isPlain(unsafe source[offset]) {
      put(unsafe source[offset])
      offset &+= 1
    }
    return offset
  }

  /// The high bit of each byte that needs care; exact for the lowest such byte.
  @inline(__always) private static func oddBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let control = word &- 0x20 &* ones
    let quote = (word ^ UInt64(0x22) &* ones) &- ones
    let backslash = (word ^ UInt64(0x5C) &* ones) &- ones
    return (control | quote | backslash | word) & 0x8080_8080_8080_8080
  }

  @inline(__always) private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
  }

  /// Appends the character at `source`, escaped where it must be, and answers how many bytes it takes there.
  private mutating func appendOdd(_ source: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let byte = unsafe source[0]
    if byte >= 0x80 { return unsafe appendScalar(source, count) }
    if Self.isPlain(byte) {
      put(byte)
    } else {
      appendEscape(byte)
    }
    return 1
  }

  private mutating func appendEscape(_ byte: UInt8) {
    put(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: put(UInt8(ascii: "b"))
    case 0x09: put(UInt8(ascii: "t"))
    case 0x0A: put(UInt8(ascii: "n"))
    case 0x0C: put(UInt8(ascii: "f"))
    case 0x0D: put(UInt8(ascii: "r"))
    case 0..<0x20:
      append("u00")
      put(UInt8(ascii: "0") + byte >> 4)
      put(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") - 10 + byte & 15)
    default: put(byte)
    }
  }

  /// Copies one multi-byte character, or writes U+FFFD for a byte that begins none.
  /// - Source: Unicode 15, table 3-7, "Well-Formed UTF-8 Byte Sequences".
  private mutating func appendScalar(_ source: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let first = unsafe source[0]
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xE0: second = 0xA0...0xBF
    case 0xED: second = 0x80...0x9F
    case 0xF0: second = 0x90...0xBF
    case 0xF4: second = 0x80...0x8F
    default: break
    }
    var isValid = (0xC2...0xF4).contains(first) && length <= count && second.contains(unsafe source[min(1, count - 1)])
    for index in 2..<max(length, 2) where isValid { isValid = (unsafe source[index]) & 0xC0 == 0x80 }
    guard isValid else {
      append("\u{FFFD}")
      return 1
    }
    for index in 0..<length { put(unsafe source[index]) }
    return length
  }

  /// Appends bytes as a quoted base64 string with padding.
  /// - Source: RFC 4648, section 4.
  mutating func appendBase64(_ source: UnsafePointer<UInt8>, _ count: Int) {
    reserve((count + 2) / 3 * 4 + 2)
    put(UInt8(ascii: "\""))
    for start in stride(from: 0, to: count, by: 3) {
      let length = min(3, count - start)
      var group: UInt32 = 0
      for index in 0..<3 { group = group << 8 | (index < length ? UInt32(unsafe source[start + index]) : 0) }
      for index in 0..<4 {
        let digit = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * index)) & 63
        put(index <= length ? Self.base64(digit) : UInt8(ascii: "="))
      }
    }
    put(UInt8(ascii: "\""))
  }

  private static func base64(_ digit: UInt8) -> UInt8 {
    switch digit {
    case 0..<26: UInt8(ascii: "A") + digit
    case 26..<52: UInt8(ascii: "a") + digit - 26
    case 52..<62: UInt8(ascii: "0") + digit - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  // MARK: Numbers

  mutating func append(_ value: Int64) {
    reserve(20)
    if value < 0 { put(UInt8(ascii: "-")) }
    putDigits(value.magnitude)
  }

  mutating func append(_ value: UInt64) {
    reserve(20)
    putDigits(value)
  }

  /// Writes a number for which there is room.
  @inline(__always) mutating func putDigits(_ value: UInt64) {
    let count = Self.digitCount(value)
    putDigits(value, count)
  }

  /// Writes the last `count` decimal digits of `value`, two at a time.
  @inline(__always) private mutating func putDigits(_ value: UInt64, _ count: Int) {
    let pairs = unsafe Self.digitPairs.utf8Start
    var (rest, offset) = (value, byteCount &+ count)
    byteCount = offset
    var left = count
    while left > 1 {
      let pair = Int(truncatingIfNeeded: rest % 100) &* 2
      rest /= 100
      offset &-= 2
      left &-= 2
      unsafe base[offset] = pairs[pair]
      unsafe base[offset &+ 1] = pairs[pair &+ 1]
    }
    if left == 1 { unsafe base[offset &- 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
  }

  private static var digitPairs: StaticString {
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """
  }

  /// Writes the last `count` decimal digits of `value`, with zeroes in front.
  mutating func append(_ value: Int, digits count: Int) {
    reserve(count)
    putDigits(UInt64(truncatingIfNeeded: value), count)
  }

  @inline(__always) private static func digitCount(_ value: UInt64) -> Int {
    var (count, limit) = (1, UInt64(10))
    while value >= limit, count < 19 {
      count &+= 1
      limit = limit &* 10
    }
    return value >= 10_000_000_000_000_000_000 ? 20 : count
  }

  /// The shortest text that reads back as the same number; null for infinities and NaN, which JSON lacks.
  mutating func append(_ value: some BinaryFloatingPoint & CustomStringConvertible) {
    guard value.isFinite else { return append("null") }
    append(json: value.description)
  }
}
