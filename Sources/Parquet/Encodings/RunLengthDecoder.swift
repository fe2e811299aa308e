import Buffers

//     hybrid     ::= run*
//     run        ::= packed | repeated
//     packed     ::= varint(groups << 1 | 1), groups * 8 values of `width` bits
//     repeated   ::= varint(count << 1), the value in ⌈width / 8⌉ bytes

/// Decodes the RLE / bit-packing hybrid: levels, dictionary indices and booleans.
/// - Source: Parquet `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".
struct RunLengthDecoder: ~Copyable, ~Escapable {
  private var cursor: ByteCursor
  private let width: Int

  enum Run {
    case repeated(UInt32, count: Int)
    /// `count` values that begin at that byte.
    case packed(byteOffset: Int, count: Int)
  }

  /// - Precondition: `width` is 0...32.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, width: Int) {
    precondition(width >= 0 && width <= 32, "bit width \(width) is outside 0...32")
    cursor = ByteCursor(bytes)
    self.width = width
  }

  /// The next run, of 1...`limit` values; what a run has beyond `limit` is padding and dropped.
  private mutating func next(limit: Int) throws(ParquetError) -> Run {
    if width == 0 { return .repeated(0, count: limit) }
    while true {
      let header = try cursor.varint(of: "run")
      let length = Int(header >> 1)
      if header & 1 == 0 {
        let value = try repeatedValue()
        if length > 0 { return .repeated(value, count: min(length, limit)) }
      } else if length > 0 {
        return try packedRun(groups: length, limit: limit)
      }
    }
  }

  private mutating func repeatedValue() throws(ParquetError) -> UInt32 {
    var value: UInt32 = 0
    for byte in 0..<(width + 7) / 8 { value |= UInt32(try cursor.byte(of: "run")) << UInt32(8 * byte) }
    guard width == 32 || value >> UInt32(width) == 0 else {
      throw ParquetError(.outOfRange("run value", value: Int(value), limit: (1 << width) - 1))
    }
    return value
  }

  /// Some writers cut the last group's padding off, so only the bytes of the values wanted must be there.
  private mutating func packedRun(groups: Int, limit: Int) throws(ParquetError) -> Run {
    let count = groups > limit / 8 ? limit : groups * 8
    let offset = cursor.offset
    let (size, overflow) = groups.multipliedReportingOverflow(by: width)
    let needed = (count * width + 7) / 8
    _ = try cursor.take(max(needed, overflow ? needed : min(size, cursor.available)), of: "bit-packed run")
    return .packed(byteOffset: offset, count: count)
  }

  // MARK: Whole columns of values

  /// Appends `count` values as bytes.
  /// - Precondition: `width` is 0...8.
  mutating func appendBytes(count: Int, to output: inout BufferBuilder) throws(ParquetError) {
    var left = count
    while left > 0 {
      switch try next(limit: left) {
      case .repeated(let value, let run):
        output.append(repeating: UInt8(truncatingIfNeeded: value), count: run)
        left -= run
      case .packed(let offset, let run):
        BitUnpackingDecoder.appendBytes(
          cursor.bytes.extracting(offset..<cursor.bytes.byteCount), width: width, count: run, to: &output)
        left -= run
      }
    }
  }

  /// Appends `count` values as UInt32.
  mutating func appendWords(count: Int, to output: inout BufferBuilder) throws(ParquetError) {
    var left = count
    while left > 0 {
      switch try next(limit: left) {
      case .repeated(let value, let run):
        output.append(repeating: value, count: run)
        left -= run
      case .packed(let offset, let run):
        BitUnpackingDecoder.appendWords(
          cursor.bytes.extracting(offset..<cursor.bytes.byteCount), width: width, count: run, to: &output)
        left -= run
      }
    }
  }

  /// Appends `count` values of one bit.
  /// - Precondition: `width` is 1.
  mutating func appendBits(count: Int, to output: inout BitmapBuilder) throws(ParquetError) {
    var left = count
    while left > 0 {
      switch try next(limit: left) {
      case .repeated(let value, let run):
        output.append(repeating: value != 0, count: run)
        left -= run
      case .packed(let offset, let run):
        output.append(packed: cursor.bytes.extracting(offset..<cursor.bytes.byteCount), count: run)
        left -= run
      }
    }
  }
}
