/// Immutable bits, least significant first, that may begin at any bit of their buffer.
/// - Source: Arrow columnar format, "Validity bitmaps".
public struct Bitmap: Sendable {
  public let buffer: Buffer
  /// The first bit's index in `buffer`.
  public let bitOffset: Int
  public let count: Int

  /// - Precondition: `buffer` holds `bitOffset + count` bits.
  public init(_ buffer: Buffer, bitOffset: Int = 0, count: Int) {
    precondition(bitOffset >= 0 && count >= 0 && bitOffset + count <= buffer.byteCount * 8, "bitmap beyond its buffer")
    self.buffer = buffer
    self.bitOffset = bitOffset
    self.count = count
  }

  public init(_ bits: [Bool]) {
    var builder = BitmapBuilder(capacity: bits.count)
    for bit in bits { builder.append(bit) }
    self = builder.finish()
  }

  public init(repeating bit: Bool, count: Int) {
    var builder = BitmapBuilder(capacity: count)
    builder.append(repeating: bit, count: count)
    self = builder.finish()
  }

  @inlinable public subscript(index: Int) -> Bool {
    precondition(index >= 0 && index < count, "bit \(index) of \(count)")
    let bit = bitOffset &+ index
    let byte = unsafe buffer.base.load(fromByteOffset: bit &>> 3, as: UInt8.self)
    return byte &>> UInt8(truncatingIfNeeded: bit & 7) & 1 == 1
  }

  /// The 64 bits that begin at `index`, least significant first; bits past the end are zero.
  @inlinable public func word(at index: Int) -> UInt64 {
    let bit = bitOffset &+ index
    let byte = bit &>> 3
    let shift = UInt64(bit & 7)
    var word: UInt64 = 0
    if byte &+ 9 <= buffer.byteCount {
      word = unsafe buffer.base.loadUnaligned(fromByteOffset: byte, as: UInt64.self) &>> shift
      if shift > 0 {
        word |= UInt64(unsafe buffer.base.load(fromByteOffset: byte &+ 8, as: UInt8.self)) &<< (64 &- shift)
      }
    } else {
      var next: UInt64 = 0
      for k in 0..<9 where byte &+ k < buffer.byteCount {
        let value = UInt64(unsafe buffer.base.load(fromByteOffset: byte &+ k, as: UInt8.self))
        if k < 8 { word |= value &<< UInt64(8 &* k) } else { next = value }
      }
      word = word &>> shift
      if shift > 0 { word |= next &<< (64 &- shift) }
    }
    let left = count &- index
    return left >= 64 ? word : left <= 0 ? 0 : word & ((1 &<< UInt64(left)) &- 1)
  }

  /// How many bits are set.
  public var setBitCount: Int {
    var total = 0
    var index = 0
    while index < count {
      total &+= word(at: index).nonzeroBitCount
      index &+= 64
    }
    return total
  }

  /// The bits `range`, sharing this memory.
  public func slice(_ range: Range<Int>) -> Bitmap {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) bits")
    return Bitmap(buffer, bitOffset: bitOffset + range.lowerBound, count: range.count)
  }

  /// The same bits, beginning at bit 0 of a buffer.
  public var normalized: Bitmap {
    if bitOffset == 0 { return self }
    if bitOffset % 8 == 0 { return Bitmap(buffer.slice(bitOffset / 8..<buffer.byteCount), count: count) }
    var builder = BitmapBuilder(capacity: count)
    builder.append(self)
    return builder.finish()
  }

  public func and(_ other: Bitmap) -> Bitmap { combine(other) { $0 & $1 } }

  public func or(_ other: Bitmap) -> Bitmap { combine(other) { $0 | $1 } }

  public func inverted() -> Bitmap { combine(self) { word, _ in ~word } }

  @inline(__always) private func combine(_ other: Bitmap, _ operation: (UInt64, UInt64) -> UInt64) -> Bitmap {
    precondition(count == other.count, "bitmaps of \(count) and \(other.count) bits")
    var words = BufferBuilder(capacity: (count + 63) / 64 * 8)
    var index = 0
    while index < count {
      words.append(operation(word(at: index), other.word(at: index)))
      index &+= 64
    }
    return Bitmap(words.finish(), count: count)
  }
}

extension Bitmap: Equatable {
  public static func == (left: Bitmap, right: Bitmap) -> Bool {
    left.count == right.count
      && stride(from: 0, to: left.count, by: 64).allSatisfy { left.word(at: $0) == right.word(at: $0) }
  }
}

/// Bits that grow at the end and become an immutable `Bitmap`.
public struct BitmapBuilder: ~Copyable {
  @usableFromInline var words: BufferBuilder
  @usableFromInline var pending: UInt64 = 0
  public var count: Int { @inlinable get { total } }
  @usableFromInline var total = 0
  /// How many of the appended bits are clear.
  public var clearBitCount: Int { @inlinable get { total &- set } }
  @usableFromInline var set = 0

  public init(capacity: Int = 0) { words = BufferBuilder(capacity: (capacity + 63) / 64 * 8) }

  @inlinable public mutating func append(_ bit: Bool) {
    let value = UInt64(unsafe unsafeBitCast(bit, to: UInt8.self))
    pending |= value &<< UInt64(total & 63)
    set &+= Int(truncatingIfNeeded: value)
    total &+= 1
    if total & 63 == 0 { flush() }
  }

  /// The lowest `bits` bits of `word`, 0...64.
  @inlinable public mutating func append(word: UInt64, bits: Int) {
    guard bits > 0 else { return }
    let word = bits == 64 ? word : word & ((1 &<< UInt64(bits)) &- 1)
    let used = total & 63
    pending |= word &<< UInt64(used)
    set &+= word.nonzeroBitCount
    total &+= bits
    if used &+ bits >= 64 {
      flush()
      pending = used == 0 ? 0 : word &>> UInt64(64 &- used)
    }
  }

  @usableFromInline mutating func flush() {
    words.append(pending)
    pending = 0
  }

  public mutating func append(repeating bit: Bool, count: Int) {
    var left = count
    while left > 0 {
      append(word: bit ? .max : 0, bits: min(left, 64))
      left -= 64
    }
  }

  public mutating func append(_ bitmap: Bitmap) {
    var index = 0
    while index < bitmap.count {
      append(word: bitmap.word(at: index), bits: min(64, bitmap.count - index))
      index += 64
    }
  }

  /// The first `count` bits of `bytes`, least significant first.
  /// - Precondition: `bytes` holds `count` bits.
  public mutating func append(packed bytes: RawSpan, count: Int) {
    precondition(count >= 0 && count <= bytes.byteCount * 8, "\(count) bits of \(bytes.byteCount) bytes")
    unsafe bytes.withUnsafeBytes { source in
      var index = 0
      while index < count {
        let bits = min(64, count - index)
        var word: UInt64 = 0
        if source.count - index / 8 >= 8 {
          word = unsafe source.loadUnaligned(fromByteOffset: index / 8, as: UInt64.self)
        } else {
          for byte in 0..<(bits + 7) / 8 { word |= UInt64(unsafe source[index / 8 + byte]) << UInt64(8 * byte) }
        }
        append(word: word, bits: bits)
        index += bits
      }
    }
  }

  /// Drops all but the first `count` bits.
  public mutating func truncate(to count: Int) {
    guard count < total else { return }
    if total & 63 != 0 { flush() }
    let bitmap = Bitmap(words.take(), count: count)
    (total, set, pending) = (0, 0, 0)
    append(bitmap)
  }

  /// The bits so far as an immutable bitmap; this builder starts anew, empty.
  public mutating func take() -> Bitmap {
    let count = total
    if total & 63 != 0 { flush() }
    (total, set, pending) = (0, 0, 0)
    return Bitmap(words.take(), count: count)
  }

  public consuming func finish() -> Bitmap { take() }
}
