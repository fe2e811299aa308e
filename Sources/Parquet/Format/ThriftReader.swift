import Buffers

/// The types of Thrift's compact protocol, as a field header or list header names them.
package enum ThriftType: UInt8, Sendable {
  case stop = 0
  case booleanTrue = 1
  case booleanFalse = 2
  case int8 = 3
  case int16 = 4
  case int32 = 5
  case int64 = 6
  case double = 7
  case binary = 8
  case list = 9
  case set = 10
  case map = 11
  case structure = 12
  case uuid = 13
}

/// Reads structures in Thrift's compact protocol.
///
///     structure ::= { header value } 0x00
///     header    ::= id - last id (1...15) in 4 bits, type in 4 bits  |  0 in 4 bits, type in 4 bits, zigzag varint id
///     list      ::= count (0...14) in 4 bits, type in 4 bits { value }  |  0xf in 4 bits, type, varint count { value }
///     binary    ::= varint byte count, bytes
///
/// Nothing is allocated beyond what the bytes at hand can fill: every element of a container takes a byte or more.
/// A structure is read as `var fields = try reader.open("Name")`, then `while let field = try fields.next(&reader)`.
/// - Source: Thrift `doc/specs/thrift-compact-protocol.md`.
package struct ThriftReader {
  /// Structures and containers inside each other, at most.
  static let maxDepth = 32

  private let buffer: Buffer
  /// Where the next byte is read.
  package private(set) var position: Int
  private var depth = 0

  package init(_ buffer: Buffer, position: Int = 0) {
    precondition(position >= 0 && position <= buffer.byteCount, "position \(position) of \(buffer.byteCount) bytes")
    self.buffer = buffer
    self.position = position
  }

  /// A field's header; its value is next.
  package struct Field {
    package let id: Int
    package let type: ThriftType
    let structure: StaticString

    /// Why this field cannot be what the format says.
    var fault: ParquetError { ParquetError(.malformed("\(structure) field \(id)")) }
  }

  /// Walks over the fields of one structure.
  package struct Fields {
    let structure: StaticString
    private var lastID = 0

    init(_ structure: StaticString) { self.structure = structure }

    /// The next field, or nil at the structure's end.
    package mutating func next(_ reader: inout ThriftReader) throws(ParquetError) -> Field? {
      let header = try reader.byte()
      guard let type = ThriftType(rawValue: header & 15) else {
        throw ParquetError(.malformed("\(structure) field type \(header & 15)"))
      }
      if type == .stop {
        reader.depth -= 1
        return nil
      }
      let id = header >> 4 == 0 ? try reader.zigzag() : Int64(lastID) + Int64(header >> 4)
      guard let id = Int16(exactly: id) else { throw ParquetError(.malformed("\(structure) field id")) }
      lastID = Int(id)
      return Field(id: lastID, type: type, structure: structure)
    }

    func missing(_ field: String) -> ParquetError {
      ParquetError(.missingField(structure: "\(structure)", field: field))
    }

    func require<Value>(_ value: Value?, _ field: String) throws(ParquetError) -> Value {
      guard let value else { throw missing(field) }
      return value
    }
  }

  /// Begins a structure at the reader's position; `name` is for errors.
  package mutating func open(_ name: StaticString) throws(ParquetError) -> Fields {
    try deepen(name)
    return Fields(name)
  }

  /// Begins a structure that is the value of `field`.
  package mutating func open(_ name: StaticString, _ field: Field) throws(ParquetError) -> Fields {
    guard field.type == .structure else { throw field.fault }
    return try open(name)
  }

  private mutating func deepen(_ name: StaticString) throws(ParquetError) {
    depth += 1
    guard depth <= Self.maxDepth else {
      throw ParquetError(.limitExceeded("nesting of \(name)", value: depth, limit: Self.maxDepth))
    }
  }

  // MARK: Values

  package mutating func boolean(_ field: Field) throws(ParquetError) -> Bool {
    switch field.type {
    case .booleanTrue: return true
    case .booleanFalse: return false
    default: throw field.fault
    }
  }

  package mutating func integer(_ field: Field) throws(ParquetError) -> Int {
    switch field.type {
    case .int8: return Int(Int8(bitPattern: try byte()))
    case .int16, .int32, .int64: return Int(try zigzag())
    default: throw field.fault
    }
  }

  /// A count or size: a number from 0 to `limit`.
  package mutating func count(_ field: Field, upTo limit: Int = .max) throws(ParquetError) -> Int {
    let value = try integer(field)
    guard value >= 0, value <= limit else {
      throw ParquetError(.outOfRange("\(field.structure) field \(field.id)", value: value, limit: limit))
    }
    return value
  }

  /// The bytes of a binary value, sharing the reader's memory.
  package mutating func binary(_ field: Field) throws(ParquetError) -> Buffer {
    guard field.type == .binary else { throw field.fault }
    return try bytes(field.structure)
  }

  package mutating func string(_ field: Field) throws(ParquetError) -> String {
    text(try binary(field))
  }

  private func text(_ bytes: Buffer) -> String {
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Lists

  package mutating func integers(_ field: Field) throws(ParquetError) -> [Int] {
    let (count, type) = try openList(field)
    guard count == 0 || type == .int16 || type == .int32 || type == .int64 else { throw field.fault }
    var values: [Int] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(Int(try zigzag())) }
    return values
  }

  package mutating func booleans(_ field: Field) throws(ParquetError) -> [Bool] {
    let (count, type) = try openList(field)
    guard count == 0 || type == .booleanTrue || type == .booleanFalse else { throw field.fault }
    var values: [Bool] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try byte() == 1) }
    return values
  }

  package mutating func binaries(_ field: Field) throws(ParquetError) -> [Buffer] {
    let (count, type) = try openList(field)
    guard count == 0 || type == .binary else { throw field.fault }
    var values: [Buffer] = []
    for _ in 0..<count { values.append(try bytes(field.structure)) }
    return values
  }

  package mutating func strings(_ field: Field) throws(ParquetError) -> [String] {
    try binaries(field).map(text)
  }

  package mutating func structures<Value>(
    _ field: Field, _ decode: (inout ThriftReader) throws(ParquetError) -> Value
  ) throws(ParquetError) -> [Value] {
    let (count, type) = try openList(field)
    guard count == 0 || type == .structure else { throw field.fault }
    var values: [Value] = []
    for _ in 0..<count { values.append(try decode(&self)) }
    return values
  }

  private mutating func openList(_ field: Field) throws(ParquetError) -> (count: Int, type: ThriftType) {
    guard field.type == .list || field.type == .set else { throw field.fault }
    return try listHeader(field.structure)
  }

  private mutating func listHeader(_ name: StaticString) throws(ParquetError) -> (count: Int, type: ThriftType) {
    let header = try byte()
    guard let type = ThriftType(rawValue: header & 15), type != .stop else {
      throw ParquetError(.malformed("\(name) list type \(header & 15)"))
    }
    let count = header >> 4 == 15 ? try varint() : UInt64(header >> 4)
    return (try bounded(count, name), type)
  }

  /// A count of elements or bytes that the rest of the input can hold.
  private func bounded(_ count: UInt64, _ name: StaticString) throws(ParquetError) -> Int {
    let left = buffer.byteCount - position
    guard count <= UInt64(left) else {
      throw ParquetError(.truncated("\(name)", needed: Int(clamping: count), available: left))
    }
    return Int(count)
  }

  // MARK: Skipping

  /// Passes over the value of a field of no interest.
  package mutating func skip(_ field: Field) throws(ParquetError) {
    try skip(field.type, in: field.structure, isElement: false)
  }

  private mutating func skip(_ type: ThriftType, in name: StaticString, isElement: Bool) throws(ParquetError) {
    switch type {
    case .stop: throw ParquetError(.malformed("\(name)"))
    case .booleanTrue, .booleanFalse: if isElement { _ = try byte() }
    case .int8: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double: try advance(8, name)
    case .uuid: try advance(16, name)
    case .binary: _ = try bytes(name)
    case .list, .set: try skipList(name)
    case .map: try skipMap(name)
    case .structure:
      var fields = try open(name)
      while let field = try fields.next(&self) { try skip(field) }
    }
  }

  private mutating func skipList(_ name: StaticString) throws(ParquetError) {
    try deepen(name)
    let (count, type) = try listHeader(name)
    for _ in 0..<count { try skip(type, in: name, isElement: true) }
    depth -= 1
  }

  private mutating func skipMap(_ name: StaticString) throws(ParquetError) {
    try deepen(name)
    let claimed = try varint()
    let count = try bounded(claimed, name)
    if count > 0 {
      let types = try byte()
      guard let key = ThriftType(rawValue: types >> 4), let value = ThriftType(rawValue: types & 15) else {
        throw ParquetError(.malformed("\(name) map types"))
      }
      for _ in 0..<count {
        try skip(key, in: name, isElement: true)
        try skip(value, in: name, isElement: true)
      }
    }
    depth -= 1
  }

  // MARK: Bytes

  private mutating func byte() throws(ParquetError) -> UInt8 {
    guard position < buffer.byteCount else {
      throw ParquetError(.truncated("Thrift structure", needed: position + 1, available: buffer.byteCount))
    }
    defer { position += 1 }
    return buffer.load(position, as: UInt8.self)
  }

  private mutating func advance(_ count: Int, _ name: StaticString) throws(ParquetError) {
    position += try bounded(UInt64(count), name)
  }

  private mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || (shift == 63 && next <= 1) else { throw ParquetError(.malformed("varint")) }
      value |= UInt64(next & 127) << shift
      if next < 128 { return value }
      shift += 7
    }
  }

  private mutating func zigzag() throws(ParquetError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  private mutating func bytes(_ name: StaticString) throws(ParquetError) -> Buffer {
    let claimed = try varint()
    let count = try bounded(claimed, name)
    defer { position += count }
    return buffer.slice(position..<position + count)
  }
}
