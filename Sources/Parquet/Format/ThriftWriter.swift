import Buffers

/// Writes structures in Thrift's compact protocol, whose grammar `ThriftReader` shows.
///
/// A field is written by its id, ids ascending within a structure; nil writes nothing.
package struct ThriftWriter: ~Copyable {
  private var output: BufferBuilder
  private var lastID = 0

  package init(capacity: Int = 256) { output = BufferBuilder(capacity: capacity) }

  package var byteCount: Int { output.byteCount }

  /// The bytes so far; this writer starts anew, empty.
  package mutating func take() -> Buffer {
    lastID = 0
    return output.take()
  }

  /// Writes the fields of `value` and the structure's end.
  package mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    let outer = lastID
    lastID = 0
    body(&self)
    output.append(UInt8(0))
    lastID = outer
  }

  // MARK: Fields

  package mutating func boolean(_ id: Int, _ value: Bool?) {
    if let value { header(id, value ? .booleanTrue : .booleanFalse) }
  }

  package mutating func int8(_ id: Int, _ value: Int) {
    header(id, .int8)
    output.append(Int8(value))
  }

  package mutating func int16(_ id: Int, _ value: Int?) { integer(id, .int16, value) }

  package mutating func int32(_ id: Int, _ value: Int?) { integer(id, .int32, value) }

  package mutating func int64(_ id: Int, _ value: Int?) { integer(id, .int64, value) }

  private mutating func integer(_ id: Int, _ type: ThriftType, _ value: Int?) {
    guard let value else { return }
    header(id, type)
    zigzag(value)
  }

  package mutating func binary(_ id: Int, _ value: Buffer?) {
    guard let value else { return }
    header(id, .binary)
    bytes(value)
  }

  package mutating func string(_ id: Int, _ value: String?) {
    guard let value else { return }
    header(id, .binary)
    text(value)
  }

  package mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
    header(id, .structure)
    structure(body)
  }

  /// A structure without fields, as unions use them for a choice.
  package mutating func empty(_ id: Int) { structure(id) { _ in } }

  // MARK: Lists

  package mutating func integers(_ id: Int, _ type: ThriftType, _ values: [Int]?) {
    guard let values else { return }
    list(id, type, count: values.count)
    for value in values { zigzag(value) }
  }

  package mutating func booleans(_ id: Int, _ values: [Bool]) {
    list(id, .booleanTrue, count: values.count)
    for value in values { output.append(UInt8(value ? 1 : 2)) }
  }

  package mutating func binaries(_ id: Int, _ values: [Buffer]) {
    list(id, .binary, count: values.count)
    for value in values { bytes(value) }
  }

  package mutating func strings(_ id: Int, _ values: [String]) {
    list(id, .binary, count: values.count)
    for value in values { text(value) }
  }

  package mutating func structures<Value>(_ id: Int, _ values: [Value]?, _ body: (Value, inout ThriftWriter) -> Void) {
    guard let values else { return }
    list(id, .structure, count: values.count)
    for value in values { structure { writer in body(value, &writer) } }
  }

  private mutating func list(_ id: Int, _ type: ThriftType, count: Int) {
    header(id, .list)
    if count < 15 {
      output.append(UInt8(count) << 4 | type.rawValue)
    } else {
      output.append(0xF0 | type.rawValue)
      varint(UInt64(count))
    }
  }

  // MARK: Bytes

  private mutating func header(_ id: Int, _ type: ThriftType) {
    let step = id - lastID
    if step > 0, step <= 15 {
      output.append(UInt8(step) << 4 | type.rawValue)
    } else {
      output.append(type.rawValue)
      zigzag(id)
    }
    lastID = id
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 128 {
      output.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }

  private mutating func zigzag(_ value: Int) { varint(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63)))) }

  private mutating func bytes(_ value: Buffer) {
    varint(UInt64(value.byteCount))
    output.append(value)
  }

  private mutating func text(_ value: String) {
    varint(UInt64(value.utf8.count))
    output.append(utf8: value)
  }
}
