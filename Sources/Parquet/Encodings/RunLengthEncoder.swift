import Buffers

/// Encodes small numbers as runs: of one repeated value, or of groups of eight packed values.
///
///     runs     ::= { repeated | packed }
///     repeated ::= varint count << 1, value in ⌈width / 8⌉ bytes
///     packed   ::= (groups << 1 | 1) in a byte, 1...63 groups of 8 values, `width` bits each, lowest first
///
/// What is written depends on the values alone, not on how they are handed over.
/// - Source: Parquet `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".
struct RunLengthEncoder: ~Copyable {
  /// Bits per value, 0...32.
  private var width: Int
  private var output = BufferBuilder()
  private var previous: UInt32 = 0
  private var repeatCount = 0
  /// Values of an unfinished group.
  private var group = InlineArray<8, UInt32>(repeating: 0)
  private var groupedCount = 0
  /// Where the open packed run's header stands, and how many groups it has; negative when none is open.
  private var headerOffset = -1
  private var groupCount = 0

  init(width: Int) {
    precondition((0...32).contains(width), "bit width \(width) is outside 0...32")
    self.width = width
  }

  /// The bits that hold numbers up to `maximum`.
  static func width(for maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

  mutating func append(_ value: UInt32) {
    if value == previous {
      repeatCount &+= 1
      if repeatCount >= 8 { return }
    } else {
      if repeatCount >= 8 { closeRepeated() }
      repeatCount = 1
      previous = value
    }
    group[groupedCount] = value
    groupedCount &+= 1
    if groupedCount == 8 { pack() }
  }

  mutating func append(_ value: UInt32, count: Int) {
    var left = count
    while left > 0, repeatCount < 8 || value != previous {
      append(value)
      left -= 1
    }
    repeatCount += left
  }

  private mutating func closeRepeated() {
    closePacked()
    output.appendVarint(UInt64(repeatCount) << 1)
    for byte in 0..<(width + 7) / 8 { output.append(UInt8(truncatingIfNeeded: previous >> UInt32(byte * 8))) }
    repeatCount = 0
    groupedCount = 0
  }

  private mutating func pack() {
    if groupCount == 63 { closePacked() }
    if headerOffset < 0 {
      headerOffset = output.byteCount
      output.append(UInt8(0))
    }
    output.appendPacked(group, width: width)
    groupCount += 1
    groupedCount = 0
    repeatCount = 0
  }

  private mutating func closePacked() {
    guard headerOffset >= 0 else { return }
    output.overwrite(UInt8(groupCount << 1 | 1), atByteOffset: headerOffset)
    headerOffset = -1
    groupCount = 0
  }

  /// Completes the last run and appends all runs to `target`; this encoder starts anew, for values of `width` bits.
  mutating func finish(into target: inout BufferBuilder, width nextWidth: Int? = nil, hasByteCount: Bool = false) {
    if repeatCount >= 8 { closeRepeated() }
    if groupedCount > 0 {
      for index in groupedCount..<8 { group[index] = 0 }
      pack()
    }
    closePacked()
    if hasByteCount { target.append(UInt32(output.byteCount)) }
    target.append(output.bytes)
    reset(width: nextWidth ?? width)
  }

  mutating func reset(width: Int) {
    output.truncate(to: 0)
    (repeatCount, groupedCount, previous) = (0, 0, 0)
    self.width = width
  }
}

extension BufferBuilder {
  /// Eight values of `width` bits each: `width` bytes.
  fileprivate mutating func appendPacked(_ values: InlineArray<8, UInt32>, width: Int) {
    var word: UInt64 = 0
    var used = 0
    for index in 0..<8 {
      word |= UInt64(values[index]) &<< UInt64(used)
      used &+= width
      while used >= 8 {
        append(UInt8(truncatingIfNeeded: word))
        word &>>= 8
        used &-= 8
      }
    }
  }
}
