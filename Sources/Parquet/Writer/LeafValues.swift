import Arrow
import Buffers

/// How the values of an Arrow type become those of a physical type.
enum LeafConversion: Sendable, Hashable {
  /// Nothing but nulls.
  case none
  /// A byte each, 0 or 1, packed when the page is encoded.
  case boolean
  case copy(width: Int)
  case byteArrays
  case int8, int16, uint8, uint16
  /// Coarser units into finer ones, of 4 or 8 bytes.
  case multiply32(Int32)
  case multiply64(Int64)
  /// Finer units into coarser ones, without a rest.
  case divide64(Int64)
  /// Milliseconds to days.
  case days
  case decimal32, decimal64, decimal128

  init(_ type: DataType, storesMilliseconds: Bool) throws(ParquetError) {
    switch type {
    case .null: self = .none
    case .boolean: self = .boolean
    case .int8: self = .int8
    case .int16: self = .int16
    case .uint8: self = .uint8
    case .uint16: self = .uint16
    case .utf8, .binary: self = .byteArrays
    case .date64: self = .days
    case .time32(.second): self = .multiply32(1000)
    case .timestamp(.second, _): self = .multiply64(1000)
    case .timestamp(.micro, _) where storesMilliseconds: self = .divide64(1000)
    case .decimal128(let precision, _):
      self = precision <= 9 ? .decimal32 : precision <= 18 ? .decimal64 : .decimal128
    default:
      guard let width = type.byteWidth, width > 0 else { throw ParquetError(.unsupportedType("\(type)")) }
      self = .copy(width: width)
    }
  }

  /// Bytes per PLAIN value; 0 for byte arrays and nothing, 1 for booleans.
  var width: Int {
    switch self {
    case .none, .byteArrays: 0
    case .boolean: 1
    case .copy(let width): width
    case .int8, .int16, .uint8, .uint16, .multiply32, .days, .decimal32: 4
    case .multiply64, .divide64, .decimal64: 8
    case .decimal128: 16
    }
  }
}

/// The values of a leaf's unfinished page, as PLAIN would have them.
struct LeafValues: ~Copyable {
  let type: DataType
  let conversion: LeafConversion
  private var data = BufferBuilder()
  /// Where each byte array ends in `data`, Int32.
  private var ends = BufferBuilder()
  /// All values, in the place of `data`, while they are lists of one length.
  private(set) var lists = DistinctLists()
  private let keepsListsOnce: Bool
  private(set) var count = 0

  /// Lists of so many values may be kept once each; of shorter ones zstd finds the repetitions as fast.
  private static let listLengths = 16...1 << 14

  /// - Parameter keepsListsOnce: whether lists of equal length may be held as `lists`.
  init(_ type: DataType, storesMilliseconds: Bool, keepsListsOnce: Bool = false) throws(ParquetError) {
    let conversion = try LeafConversion(type, storesMilliseconds: storesMilliseconds)
    self.init(type, conversion, keepsListsOnce: keepsListsOnce)
  }

  private init(_ type: DataType, _ conversion: LeafConversion, keepsListsOnce: Bool) {
    self.type = type
    self.conversion = conversion
    self.keepsListsOnce = keepsListsOnce
  }

  /// Whether all values are in `lists`.
  var areLists: Bool { lists.count > 0 }

  /// Of the values, PLAIN; without the lengths of byte arrays.
  var byteCount: Int { areLists ? lists.byteCount : data.byteCount }

  /// Fixed-width values; the bytes of all byte arrays.
  /// - Precondition: the values are no `lists`.
  var bytes: RawSpan {
    @_lifetime(borrow self) get {
      precondition(!areLists, "lists have no bytes in one piece")
      return data.bytes
    }
  }

  /// Calls `body` with the byte arrays.
  func withByteArrays<R>(_ body: (borrowing ByteArrays) -> R) -> R {
    unsafe ends.bytes.withUnsafeBytes { ends in
      let ends = unsafe Span<Int32>(_unsafeElements: ends.assumingMemoryBound(to: Int32.self))
      return body(ByteArrays(ends: ends, data: data.bytes))
    }
  }

  /// The first values, of fixed width: about `byteCount` bytes of them.
  func prefix(byteCount: Int) -> LeafValues {
    var copy = LeafValues(type, conversion, keepsListsOnce: keepsListsOnce)
    if areLists {
      copy.lists = lists.prefix(max(1, byteCount / lists.width))
      copy.count = copy.lists.byteCount / conversion.width
    } else {
      copy.count = min(count, max(1, byteCount / conversion.width))
      copy.data.append(data.bytes.extracting(0..<copy.count * conversion.width))
    }
    return copy
  }

  mutating func removeAll() {
    data.truncate(to: 0)
    ends.truncate(to: 0)
    if areLists { lists = DistinctLists() }
    count = 0
  }

  // MARK: Lists

  /// Appends the values `range` of `array` as one list.
  /// - Returns: whether that was done: whether the page has lists of this length alone.
  mutating func append(list range: Range<Int>, of array: ArrowArray) -> Bool {
    guard keepsListsOnce, Self.listLengths.contains(range.count), array.type == type,
      case .copy(let width) = conversion, areLists || count == 0
    else { return false }
    if count == 0 { lists = DistinctLists(width: range.count * width) }
    guard lists.width == range.count * width else { return false }
    lists.append(array.values.bytes.extracting(range.lowerBound * width..<range.upperBound * width))
    count += range.count
    return true
  }

  /// Goes on with values that are no lists of one length.
  private mutating func flatten() {
    lists.write(into: &data)
    lists = DistinctLists()
  }

  /// Appends the values `range` of `array`, none of which is null.
  /// - Throws: `.unsupportedType` for an array of another type, `.outOfRange` for a value that does not convert.
  mutating func append(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    guard array.type == type else { throw ParquetError(.unsupportedType("\(array.type) in a column of \(type)")) }
    if areLists { flatten() }
    count += range.count
    switch conversion {
    case .none: break
    case .boolean: for index in range { data.append(UInt8(array.bits[index] ? 1 : 0)) }
    case .copy(let width):
      data.append(array.values.bytes.extracting(range.lowerBound * width..<range.upperBound * width))
    case .byteArrays: try appendByteArrays(array, range)
    case .int8: append(array, range) { (value: Int8) in Int32(value) }
    case .int16: append(array, range) { (value: Int16) in Int32(value) }
    case .uint8: append(array, range) { (value: UInt8) in Int32(value) }
    case .uint16: append(array, range) { (value: UInt16) in Int32(value) }
    case .days: append(array, range) { (value: Int64) in Int32(clamping: value.floorDivided(by: 86_400_000)) }
    case .decimal32: append(array, range) { (value: Int128) in Int32(truncatingIfNeeded: value) }
    case .decimal64: append(array, range) { (value: Int128) in Int64(truncatingIfNeeded: value) }
    case .decimal128: append(array, range) { (value: Int128) in value.byteSwapped }
    case .multiply32(let factor):
      try appendChecked(array, range) { (value: Int32) in
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
      }
    case .multiply64(let factor):
      try appendChecked(array, range) { (value: Int64) in
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
      }
    case .divide64(let divisor):
      try appendChecked(array, range) { (value: Int64) in
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder == 0 ? quotient : nil
      }
    }
  }

  private mutating func appendByteArrays(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    let offsets = array.offsets
    let start = Int(offsets.load(range.lowerBound, as: Int32.self))
    let total = data.byteCount + Int(offsets.load(range.upperBound, as: Int32.self)) - start
    guard total <= Int(Int32.max) else {
      throw ParquetError(.limitExceeded("page", value: total, limit: Int(Int32.max)))
    }
    let shift = data.byteCount - start
    for index in range {
      ends.append(Int32(truncatingIfNeeded: Int(offsets.load(index + 1, as: Int32.self)) &+ shift))
    }
    let end = Int(offsets.load(range.upperBound, as: Int32.self))
    data.append(array.data.bytes.extracting(start..<end))
  }

  @inline(__always) private mutating func append<Source: BitwiseCopyable, Target: BitwiseCopyable>(
    _ array: ArrowArray, _ range: Range<Int>, _ convert: (Source) -> Target
  ) {
    let values = array.values
    for index in range { data.append(convert(values.load(index, as: Source.self))) }
  }

  @inline(__always) private mutating func appendChecked<Value: FixedWidthInteger & BitwiseCopyable>(
    _ array: ArrowArray, _ range: Range<Int>, _ convert: (Value) -> Value?
  ) throws(ParquetError) {
    let values = array.values
    for index in range {
      let value = values.load(index, as: Value.self)
      guard let converted = convert(value) else {
        throw ParquetError(.unsupported("\(type) value \(value) in milliseconds"))
      }
      data.append(converted)
    }
  }
}

extension Int64 {
  fileprivate func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
