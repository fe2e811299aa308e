import Arrow
import Buffers

/// The order of a column's values, in which its bounds are taken.
///
/// A NaN is never a bound; a zero bound is -0.0 below and 0.0 above, whichever zeroes occur.
/// - Source: `parquet.thrift`, `ColumnOrder` and `Statistics`.
enum ValueOrder: Sendable, Hashable {
  case boolean
  case int32, int64, uint32, uint64
  case float16, float, double
  /// Byte by byte, unsigned.
  case byteArrays
  case fixedBytes(width: Int)
  /// Two's complement, big-endian, 16 bytes.
  case decimal128

  init?(_ leaf: LeafColumn) {
    switch (leaf.arrowType, leaf.physicalType) {
    case (.null, _), (.decimal128, .byteArray): return nil
    case (.uint8, _), (.uint16, _), (.uint32, _): self = .uint32
    case (.uint64, _): self = .uint64
    case (.float16, _): self = .float16
    case (.decimal128, .fixedLenByteArray): self = .decimal128
    case (_, .boolean): self = .boolean
    case (_, .int32): self = .int32
    case (_, .int64): self = .int64
    case (_, .float): self = .float
    case (_, .double): self = .double
    case (_, .byteArray): self = .byteArrays
    case (_, .fixedLenByteArray): self = .fixedBytes(width: leaf.typeLength)
    case (_, .int96): return nil
    }
  }

  /// The least and the greatest of `values`; nil where there are none that count.
  func bounds(of values: borrowing LeafValues) -> (least: Buffer, greatest: Buffer)? {
    guard values.count > 0 else { return nil }
    return switch self {
    case .boolean: Self.bounds(values.bytes, UInt8.self)
    case .int32: Self.bounds(values.bytes, Int32.self)
    case .int64: Self.bounds(values.bytes, Int64.self)
    case .uint32: Self.bounds(values.bytes, UInt32.self)
    case .uint64: Self.bounds(values.bytes, UInt64.self)
    case .float16: Self.floatBounds(values.bytes, Float16.self)
    case .float: Self.floatBounds(values.bytes, Float.self)
    case .double: Self.floatBounds(values.bytes, Double.self)
    case .byteArrays: values.withByteArrays(Self.byteBounds)
    case .fixedBytes(let width): Self.fixedBounds(values.bytes, width)
    case .decimal128: Self.decimalBounds(values.bytes)
    }
  }

  /// Whether `left` stands before `right`; both are bounds of this order.
  func isLess(_ left: Buffer, _ right: Buffer) -> Bool {
    switch self {
    case .boolean: left.load(0, as: UInt8.self) < right.load(0, as: UInt8.self)
    case .int32: left.load(0, as: Int32.self) < right.load(0, as: Int32.self)
    case .int64: left.load(0, as: Int64.self) < right.load(0, as: Int64.self)
    case .uint32: left.load(0, as: UInt32.self) < right.load(0, as: UInt32.self)
    case .uint64: left.load(0, as: UInt64.self) < right.load(0, as: UInt64.self)
    case .float16: left.load(0, as: Float16.self) < right.load(0, as: Float16.self)
    case .float: left.load(0, as: Float.self) < right.load(0, as: Float.self)
    case .double: left.load(0, as: Double.self) < right.load(0, as: Double.self)
    case .byteArrays, .fixedBytes: left.bytes.isLess(right.bytes)
    case .decimal128: left.load(0, as: Int128.self).byteSwapped < right.load(0, as: Int128.self).byteSwapped
    }
  }

  private static func bounds<Value: Comparable & BitwiseCopyable>(
    _ bytes: RawSpan, _ type: Value.Type
  ) -> (Buffer, Buffer) {
    let width = MemoryLayout<Value>.size
    var least = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Value.self)
    var greatest = least
    for index in 1..<max(1, bytes.byteCount / width) {
      let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index &* width, as: Value.self)
      least = min(least, value)
      greatest = max(greatest, value)
    }
    return (Buffer([least]), Buffer([greatest]))
  }

  private static func floatBounds<Value: BinaryFloatingPoint & BitwiseCopyable>(
    _ bytes: RawSpan, _ type: Value.Type
  ) -> (Buffer, Buffer)? {
    let width = MemoryLayout<Value>.size
    var least = Value.infinity
    var greatest = -Value.infinity
    var isAny = false
    for index in 0..<bytes.byteCount / width {
      let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index &* width, as: Value.self)
      if value.isNaN { continue }
      isAny = true
      if value < least { least = value }
      if value > greatest { greatest = value }
    }
    guard isAny else { return nil }
    return (Buffer([least == 0 ? -Value.zero : least]), Buffer([greatest == 0 ? Value.zero : greatest]))
  }

  private static func byteBounds(_ values: borrowing ByteArrays) -> (Buffer, Buffer) {
    var (least, greatest) = (0, 0)
    var (leastPrefix, greatestPrefix) = (values.prefix(0), values.prefix(0))
    for index in 1..<max(1, values.count) {
      let prefix = values.prefix(index)
      if prefix > leastPrefix, prefix < greatestPrefix { continue }
      let value = values.bytes(index)
      if prefix <= leastPrefix, value.isLess(values.bytes(least)) { (least, leastPrefix) = (index, prefix) }
      if prefix >= greatestPrefix, values.bytes(greatest).isLess(value) { (greatest, greatestPrefix) = (index, prefix) }
    }
    return (Buffer(copying: values.bytes(least)), Buffer(copying: values.bytes(greatest)))
  }

  private static func fixedBounds(_ bytes: RawSpan, _ width: Int) -> (Buffer, Buffer) {
    var (least, greatest) = (0, 0)
    for start in stride(from: width, to: bytes.byteCount, by: width) {
      let value = bytes.extracting(start..<start + width)
      if value.isLess(bytes.extracting(least..<least + width)) {
        least = start
      } else if bytes.extracting(greatest..<greatest + width).isLess(value) {
        greatest = start
      }
    }
    return (
      Buffer(copying: bytes.extracting(least..<least + width)),
      Buffer(copying: bytes.extracting(greatest..<greatest + width))
    )
  }

  private static func decimalBounds(_ bytes: RawSpan) -> (Buffer, Buffer) {
    var (least, greatest) = (Int128.max, Int128.min)
    for offset in stride(from: 0, to: bytes.byteCount, by: 16) {
      let value = (unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int128.self)).byteSwapped
      least = min(least, value)
      greatest = max(greatest, value)
    }
    return (Buffer([least.byteSwapped]), Buffer([greatest.byteSwapped]))
  }
}

extension RawSpan {
  /// Byte by byte, unsigned; a prefix comes first.
  fileprivate func isLess(_ other: RawSpan) -> Bool {
    let limit = Swift.min(byteCount, other.byteCount)
    var index = 0
    while index &+ 8 <= limit {
      let left = (unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)).bigEndian
      let right = (unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)).bigEndian
      if left != right { return left < right }
      index &+= 8
    }
    while index < limit {
      let left = unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      let right = unsafe other.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      if left != right { return left < right }
      index &+= 1
    }
    return byteCount < other.byteCount
  }
}

extension ByteArrays {
  /// The value's first eight bytes as a number, zeroes standing for missing ones: where two differ, so do their values.
  @inline(__always) fileprivate func prefix(_ index: Int) -> UInt64 {
    let range = range(index)
    if range.count >= 8 {
      return (unsafe data.unsafeLoadUnaligned(fromUncheckedByteOffset: range.lowerBound, as: UInt64.self)).bigEndian
    }
    var prefix: UInt64 = 0
    for offset in range {
      prefix = prefix &<< 8 | UInt64(unsafe data.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
    }
    return range.isEmpty ? 0 : prefix &<< UInt64(64 &- 8 &* range.count)
  }
}

/// Bounds cut to a few bytes, so that they still bound.
struct CutBounds {
  var least: Buffer
  var greatest: Buffer
  var isLeastExact = true
  var isGreatestExact = true

  /// - Parameter isText: cuts between characters and raises the last one that can be, so that both stay UTF-8.
  init(_ least: Buffer, _ greatest: Buffer, limit: Int, isText: Bool) {
    (self.least, self.greatest) = (least, greatest)
    if least.byteCount > limit {
      self.least = least.slice(0..<Self.cut(least, limit, isText))
      isLeastExact = false
    }
    if greatest.byteCount > limit,
      let raised = Self.raised(greatest.slice(0..<Self.cut(greatest, limit, isText)), isText)
    {
      self.greatest = raised
      isGreatestExact = false
    }
  }

  private static func cut(_ bytes: Buffer, _ limit: Int, _ isText: Bool) -> Int {
    var end = limit
    while isText, end > 0, bytes.load(end, as: UInt8.self) & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  /// The shortest value above all that begin with `prefix`; nil where there is none.
  private static func raised(_ prefix: Buffer, _ isText: Bool) -> Buffer? {
    isText ? raisedText(prefix) : raisedBytes(prefix)
  }

  private static func raisedBytes(_ prefix: Buffer) -> Buffer? {
    var bytes = unsafe prefix.withUnsafeBytes { unsafe [UInt8]($0) }
    while bytes.last == 0xFF { bytes.removeLast() }
    guard !bytes.isEmpty else { return nil }
    bytes[bytes.count - 1] += 1
    return Buffer(bytes)
  }

  private static func raisedText(_ prefix: Buffer) -> Buffer? {
    let bytes = unsafe prefix.withUnsafeBytes { unsafe [UInt8]($0) }
    guard let text = String(validating: bytes, as: UTF8.self) else { return raisedBytes(prefix) }
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let scalar = Unicode.Scalar(next) else { continue }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars + [scalar])
      return Buffer(Array(String(view).utf8))
    }
    return nil
  }
}
