/// A field as an IPC stream states it: its type, and what the type alone does not say.
struct IPCColumn: Hashable, Sendable {
  var field: Field
  /// The number under which the stream sends the field's dictionary.
  var dictionaryID: Int64?
  /// Whether offsets take 64 bits in the stream.
  var hasLargeOffsets = false
  /// The type of the ends of runs where the stream states runs of equal values; the field's type is then a dictionary's,
  /// whose indices number the runs.
  var runEnds: DataType?
  /// The columns below it; those of a dictionary's values when it is one; of runs their values.
  var children: [IPCColumn] = []

  /// The values of a dictionary column as a column of their own, without the name: fields may share a dictionary.
  var dictionaryValues: IPCColumn {
    guard case .dictionary(_, let value, _) = field.type else { preconditionFailure("\(field.type) is no dictionary") }
    var column = self
    column.field = Field("", value)
    column.dictionaryID = nil
    return column
  }

  var containsDictionary: Bool { dictionaryID != nil || children.contains { $0.containsDictionary } }
}

extension IPCColumn {
  /// A field to be written; dictionaries are numbered from `nextID` on, the innermost first.
  init(_ field: Field, nextID: inout Int64) {
    self.field = field
    children = Self.childFields(field.type.valueType).map { IPCColumn($0, nextID: &nextID) }
    if case .dictionary = field.type {
      dictionaryID = nextID
      nextID += 1
    }
  }

  /// A field to be written as runs.
  /// - Precondition: its type is a dictionary's.
  init(runs field: Field, nextID: inout Int64) {
    guard case .dictionary(_, let value, _) = field.type else { preconditionFailure("\(field.type) is no dictionary") }
    self.field = field
    runEnds = .int32
    children = [IPCColumn(Field("values", value), nextID: &nextID)]
  }

  /// The columns below it as the schema states them.
  var statedChildren: [IPCColumn] {
    guard let runEnds else { return children }
    return [IPCColumn(field: Field("run_ends", runEnds, isNullable: false))] + children
  }

  private static func childFields(_ type: DataType) -> [Field] {
    switch type {
    case .list(let element), .fixedSizeList(let element, _), .map(let element, _): [element]
    case .structure(let fields): fields
    default: []
    }
  }
}

/// Names of Arrow's flatbuffer schema by their numbers.
/// - Source: Arrow `format/Schema.fbs` and `format/Message.fbs`.
enum IPCFormat {
  /// Marks a message since version 0.15; before, a message began with its metadata's length.
  static let continuation = UInt32.max
  static let metadataV4: Int16 = 3
  static let metadataV5: Int16 = 4
  /// Deepest nesting of types that is read.
  static let depthLimit = 64

  enum Message: UInt8 {
    case none, schema, dictionaryBatch, recordBatch, tensor, sparseTensor
  }

  enum TypeID: UInt8 {
    case none, null, int, floatingPoint, binary, utf8, bool, decimal, date, time, timestamp, interval, list, structure
    case union, fixedSizeBinary, fixedSizeList, map, duration, largeBinary, largeUtf8, largeList, runEndEncoded
    case binaryView, utf8View, listView, largeListView
  }
}

/// A codec of body buffers, by its number in Arrow's schema.
public enum IPCCodec: UInt8, Sendable, Hashable {
  case lz4Frame = 0
  case zstd = 1

  public var name: String { self == .lz4Frame ? "LZ4 frame" : "zstd" }
}
