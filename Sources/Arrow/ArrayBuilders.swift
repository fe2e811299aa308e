import Buffers

/// Grows a column of fixed-width values, one at a time.
public struct FixedWidthBuilder<Value: BitwiseCopyable>: ~Copyable {
  @usableFromInline var values: BufferBuilder
  @usableFromInline var validity: BitmapBuilder

  public init(capacity: Int = 0) {
    values = BufferBuilder(capacity: capacity * MemoryLayout<Value>.stride)
    validity = BitmapBuilder(capacity: capacity)
  }

  public var count: Int { @inlinable get { validity.count } }

  @inlinable public mutating func append(_ value: Value) {
    values.append(value)
    validity.append(true)
  }

  /// A null, whose place holds zero bytes.
  @inlinable public mutating func appendNull() {
    values.append(zeroes: MemoryLayout<Value>.stride)
    validity.append(false)
  }

  @inlinable public mutating func append(_ value: Value?) {
    if let value { append(value) } else { appendNull() }
  }

  /// Drops all but the first `count` values.
  public mutating func truncate(to count: Int) {
    values.truncate(to: count * MemoryLayout<Value>.stride)
    validity.truncate(to: count)
  }

  /// The column so far, as `type`; this builder starts anew, empty.
  public mutating func take(as type: DataType) -> ArrowArray {
    let width = MemoryLayout<Value>.stride
    precondition(type.byteWidth == width, "\(type) is not \(width) bytes wide")
    let bits = validity.take()
    return ArrowArray(type, count: bits.count, validity: bits, storage: .fixed(values.take()))
  }
}

/// Grows a boolean column.
public struct BooleanBuilder: ~Copyable {
  @usableFromInline var values = BitmapBuilder()
  @usableFromInline var validity = BitmapBuilder()

  public init() {}

  public var count: Int { @inlinable get { validity.count } }

  @inlinable public mutating func append(_ value: Bool) {
    values.append(value)
    validity.append(true)
  }

  @inlinable public mutating func appendNull() {
    values.append(false)
    validity.append(false)
  }

  @inlinable public mutating func append(_ value: Bool?) {
    if let value { append(value) } else { appendNull() }
  }

  public mutating func truncate(to count: Int) {
    values.truncate(to: count)
    validity.truncate(to: count)
  }

  public mutating func take() -> ArrowArray {
    let bits = validity.take()
    return ArrowArray(.boolean, count: bits.count, validity: bits, storage: .boolean(values.take()))
  }
}

/// Grows a utf8 or binary column.
public struct VariableWidthBuilder: ~Copyable {
  @usableFromInline var offsets: BufferBuilder
  @usableFromInline var data: BufferBuilder
  @usableFromInline var validity: BitmapBuilder

  public init(capacity: Int = 0, dataCapacity: Int = 0) {
    offsets = BufferBuilder(capacity: (capacity + 1) * 4)
    offsets.append(Int32(0))
    data = BufferBuilder(capacity: dataCapacity)
    validity = BitmapBuilder(capacity: capacity)
  }

  public var count: Int { @inlinable get { validity.count } }

  /// How many bytes the values take so far; beyond 2 GiB appending traps, so callers cut batches well before.
  public var dataByteCount: Int { @inlinable get { data.byteCount } }

  @inlinable public mutating func append(_ bytes: RawSpan) {
    data.append(bytes)
    close(isValid: true)
  }

  public mutating func append(_ text: String) {
    data.append(utf8: text)
    close(isValid: true)
  }

  public mutating func append(_ text: String?) {
    if let text { append(text) } else { appendNull() }
  }

  @inlinable public mutating func appendNull() { close(isValid: false) }

  /// Lets `body` write up to `capacity` bytes as one value and answer how many. For C calls.
  @inlinable public mutating func appendUnsafely<E: Error>(
    capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    try unsafe data.appendUnsafely(capacity: capacity, body)
    close(isValid: true)
  }

  @inlinable mutating func close(isValid: Bool) {
    offsets.append(Int32(data.byteCount))
    validity.append(isValid)
  }

  public mutating func truncate(to count: Int) {
    guard count < self.count else { return }
    let end = unsafe offsets.bytes.unsafeLoadUnaligned(fromByteOffset: count * 4, as: Int32.self)
    offsets.truncate(to: (count + 1) * 4)
    data.truncate(to: Int(end))
    validity.truncate(to: count)
  }

  /// The column so far, as `type` (utf8 or binary); this builder starts anew, empty.
  public mutating func take(as type: DataType = .utf8) -> ArrowArray {
    let bits = validity.take()
    let ends = offsets.take()
    offsets.append(Int32(0))
    return ArrowArray(type, count: bits.count, validity: bits, storage: .variable(offsets: ends, data: data.take()))
  }
}

/// Grows the offsets and validity of a list or map column; the caller grows the child beside it.
public struct ListBuilder: ~Copyable {
  @usableFromInline var offsets = BufferBuilder()
  @usableFromInline var validity = BitmapBuilder()

  public init() { offsets.append(Int32(0)) }

  public var count: Int { @inlinable get { validity.count } }

  /// Ends a list whose last element is the child's value `childCount - 1`.
  @inlinable public mutating func close(childCount: Int, isValid: Bool = true) {
    offsets.append(Int32(childCount))
    validity.append(isValid)
  }

  public mutating func truncate(to count: Int) {
    offsets.truncate(to: (count + 1) * 4)
    validity.truncate(to: count)
  }

  /// The column so far, as `type` (list or map), over `child`; this builder starts anew, empty.
  public mutating func take(as type: DataType, child: ArrowArray) -> ArrowArray {
    let bits = validity.take()
    let ends = offsets.take()
    offsets.append(Int32(0))
    return ArrowArray(type, count: bits.count, validity: bits, storage: .list(offsets: ends, child: child))
  }
}

extension ArrowArray {
  /// A column of `values`, as `type`, whose width is `Value`'s.
  public init<Value: BitwiseCopyable>(_ type: DataType, _ values: [Value?]) {
    var builder = FixedWidthBuilder<Value>(capacity: values.count)
    for value in values { builder.append(value) }
    self = builder.take(as: type)
  }

  public init(_ values: [Bool?]) {
    var builder = BooleanBuilder()
    for value in values { builder.append(value) }
    self = builder.take()
  }

  public init(_ values: [String?]) {
    var builder = VariableWidthBuilder(capacity: values.count)
    for value in values { builder.append(value) }
    self = builder.take()
  }

  /// `count` nulls of `type`.
  public init(nulls type: DataType, count: Int) {
    let validity = Bitmap(repeating: false, count: count)
    self.init(type, count: count, validity: validity, storage: Self.emptyStorage(type, count: count))
  }

  private static func emptyStorage(_ type: DataType, count: Int) -> Storage {
    switch type {
    case .null: .null
    case .boolean: .boolean(Bitmap(repeating: false, count: count))
    case .utf8, .binary: .variable(offsets: Buffer(zeroes: (count + 1) * 4), data: .empty)
    case .list(let element), .map(let element, _):
      .list(offsets: Buffer(zeroes: (count + 1) * 4), child: ArrowArray(nulls: element.type, count: 0))
    case .fixedSizeList(let element, let length):
      .fixedSizeList(child: ArrowArray(nulls: element.type, count: count * length))
    case .structure(let fields): .structure(children: fields.map { ArrowArray(nulls: $0.type, count: count) })
    case .dictionary(let index, let value, _):
      .dictionary(indices: Buffer(zeroes: count * index.byteWidth!), values: ArrowArray(nulls: value, count: 0))
    default: .fixed(Buffer(zeroes: count * type.byteWidth!))
    }
  }
}
