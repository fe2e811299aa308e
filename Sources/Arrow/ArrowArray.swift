import Buffers

/// An immutable column of values that share one type.
///
/// There is no offset: a slice slices its buffers, and bitmaps carry a bit offset of their own. So an offsets buffer may
/// begin at a number above 0, and only the range it names of the data buffer or child belongs to the array.
/// - Source: Arrow columnar format, "Physical Memory Layout".
public struct ArrowArray: Sendable {
  /// Where the values lie, by physical layout.
  public indirect enum Storage: Sendable {
    case null
    case boolean(Bitmap)
    /// `count` values of the type's byte width, one after the other.
    case fixed(Buffer)
    /// `count + 1` ascending Int32 offsets into `data` (utf8, binary).
    case variable(offsets: Buffer, data: Buffer)
    /// `count + 1` ascending Int32 offsets into `child` (list, map).
    case list(offsets: Buffer, child: ArrowArray)
    /// `count` times the list's length of `child`'s values.
    case fixedSizeList(child: ArrowArray)
    case structure(children: [ArrowArray])
    /// `count` indices of the type's index width, into `values`.
    case dictionary(indices: Buffer, values: ArrowArray)
  }

  public let type: DataType
  public let count: Int
  /// Which values are there; nil when all are. A dictionary array's validity is that of its indices alone.
  public let validity: Bitmap?
  public let nullCount: Int
  public let storage: Storage

  /// - Precondition: `storage` has the layout that `type` asks for and holds `count` values.
  public init(_ type: DataType, count: Int, validity: Bitmap? = nil, storage: Storage) {
    precondition(validity.map { $0.count == count } ?? true, "validity of \(validity?.count ?? 0) for \(count) values")
    let nulls = if case .null = storage { count } else { validity.map { count - $0.setBitCount } ?? 0 }
    self.type = type
    self.count = count
    self.nullCount = nulls
    self.validity = nulls == 0 || type == .null ? nil : validity
    self.storage = storage
  }

  @inlinable public func isNull(_ index: Int) -> Bool {
    if let validity { !validity[index] } else { nullCount > 0 }
  }

  @inlinable public func isValid(_ index: Int) -> Bool { !isNull(index) }

  /// The values buffer of a fixed-width array; the indices of a dictionary array.
  @inlinable public var values: Buffer {
    switch storage {
    case .fixed(let buffer): buffer
    case .dictionary(let indices, _): indices
    default: preconditionFailure("\(type) has no values buffer")
    }
  }

  /// The bits of a boolean array.
  @inlinable public var bits: Bitmap {
    guard case .boolean(let bits) = storage else { preconditionFailure("\(type) is not boolean") }
    return bits
  }

  /// Int32 offsets of a utf8, binary, list or map array: `count + 1` of them.
  @inlinable public var offsets: Buffer {
    switch storage {
    case .variable(let offsets, _): offsets
    case .list(let offsets, _): offsets
    default: preconditionFailure("\(type) has no offsets")
    }
  }

  /// The bytes that the offsets of a utf8 or binary array point into.
  @inlinable public var data: Buffer {
    guard case .variable(_, let data) = storage else { preconditionFailure("\(type) has no data buffer") }
    return data
  }

  /// The elements of a list or map, the fields of a structure, the values of a dictionary; else none.
  public var children: [ArrowArray] {
    switch storage {
    case .list(_, let child), .fixedSizeList(let child): [child]
    case .structure(let children): children
    case .dictionary(_, let values): [values]
    case .null, .boolean, .fixed, .variable: []
    }
  }

  /// Where list, map, utf8 or binary value `index` lies in the child or data.
  @inlinable public func range(_ index: Int) -> Range<Int> {
    if case .fixedSizeList(let child) = storage {
      let length = count == 0 ? 0 : child.count / count
      return index * length..<(index + 1) * length
    }
    let offsets = offsets
    return Int(offsets.load(index, as: Int32.self))..<Int(offsets.load(index + 1, as: Int32.self))
  }

  /// Value `index` of a utf8, binary or fixed-width array as bytes.
  public func bytes(_ index: Int) -> Buffer {
    if case .fixed(let values) = storage {
      let width = type.byteWidth!
      return values.slice(index * width..<(index + 1) * width)
    }
    return data.slice(range(index))
  }

  /// Value `index` of a utf8 array; bytes that are no UTF-8 are repaired.
  public func string(_ index: Int) -> String {
    unsafe bytes(index).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Element `index` of a dictionary's indices, whatever their width.
  public func dictionaryIndex(_ index: Int) -> Int {
    guard case .dictionary(let indices, _) = storage, case .dictionary(let width, _, _) = type else {
      preconditionFailure("\(type) is no dictionary")
    }
    return switch width {
    case .int8: Int(indices.load(index, as: Int8.self))
    case .uint8: Int(indices.load(index, as: UInt8.self))
    case .int16: Int(indices.load(index, as: Int16.self))
    case .uint16: Int(indices.load(index, as: UInt16.self))
    case .int32: Int(indices.load(index, as: Int32.self))
    case .uint32: Int(indices.load(index, as: UInt32.self))
    default: Int(truncatingIfNeeded: indices.load(index, as: Int64.self))
    }
  }

  /// The values `range`, sharing this memory.
  public func slice(_ range: Range<Int>) -> ArrowArray {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) values")
    if range == 0..<count { return self }
    return ArrowArray(type, count: range.count, validity: validity?.slice(range), storage: sliceStorage(range))
  }

  private func sliceStorage(_ range: Range<Int>) -> Storage {
    func scaled(_ width: Int) -> Range<Int> { range.lowerBound * width..<range.upperBound * width }
    switch storage {
    case .null: return .null
    case .boolean(let bits): return .boolean(bits.slice(range))
    case .fixed(let values): return .fixed(values.slice(scaled(type.byteWidth!)))
    case .variable(let offsets, let data):
      return .variable(offsets: offsets.slice(range.lowerBound * 4..<(range.upperBound + 1) * 4), data: data)
    case .list(let offsets, let child):
      return .list(offsets: offsets.slice(range.lowerBound * 4..<(range.upperBound + 1) * 4), child: child)
    case .fixedSizeList(let child):
      guard case .fixedSizeList(_, let length) = type else { preconditionFailure("\(type) is no fixed-size list") }
      return .fixedSizeList(child: child.slice(scaled(length)))
    case .structure(let children): return .structure(children: children.map { $0.slice(range) })
    case .dictionary(let indices, let values):
      return .dictionary(indices: indices.slice(scaled(type.byteWidth!)), values: values)
    }
  }

  /// How many bytes the array's own values take, counting shared buffers in full.
  public var byteCount: Int {
    let own = (validity?.buffer.byteCount ?? 0)
    switch storage {
    case .null: return own
    case .boolean(let bits): return own + bits.buffer.byteCount
    case .fixed(let values): return own + values.byteCount
    case .variable(let offsets, let data): return own + offsets.byteCount + data.byteCount
    case .list(let offsets, let child): return own + offsets.byteCount + child.byteCount
    case .fixedSizeList(let child): return own + child.byteCount
    case .structure(let children): return own + children.reduce(0) { $0 + $1.byteCount }
    case .dictionary(let indices, let values): return own + indices.byteCount + values.byteCount
    }
  }

  /// The same values under another type of the same layout (a timestamp as int64, say).
  public func retyped(_ type: DataType) -> ArrowArray {
    precondition(type.byteWidth == self.type.byteWidth, "\(self.type) and \(type) differ in layout")
    return ArrowArray(type, count: count, validity: validity, storage: storage)
  }
}

/// A schema and one array per field, all of `rowCount` values.
public struct RecordBatch: Sendable {
  public let schema: Schema
  public let columns: [ArrowArray]
  public let rowCount: Int

  /// - Precondition: the columns have the schema's types and `rowCount` values each.
  public init(_ schema: Schema, _ columns: [ArrowArray], rowCount: Int? = nil) {
    let rows = rowCount ?? columns.first?.count ?? 0
    precondition(schema.fields.count == columns.count, "\(columns.count) columns for \(schema.fields.count) fields")
    for index in columns.indices {
      precondition(
        schema.fields[index].type == columns[index].type,
        "column '\(schema.fields[index].name)' is \(columns[index].type), its field \(schema.fields[index].type)")
      precondition(
        columns[index].count == rows,
        "column '\(schema.fields[index].name)' has \(columns[index].count) of \(rows) rows")
    }
    self.schema = schema
    self.columns = columns
    self.rowCount = rows
  }

  /// The first column of that name.
  public subscript(name: String) -> ArrowArray? { schema.index(of: name).map { columns[$0] } }

  public func slice(_ range: Range<Int>) -> RecordBatch {
    RecordBatch(schema, columns.map { $0.slice(range) }, rowCount: range.count)
  }

  public var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}
