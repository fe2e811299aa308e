import Buffers

/// Writes the metadata of messages: flatbuffers after Arrow's `Message.fbs` and `Schema.fbs`.
enum IPCMessageWriter {
  typealias Writer = FlatBufferWriter

  /// Bodies begin, and their buffers lie, at multiples of this many bytes of the stream.
  static let alignment = 64

  static func schema(_ columns: [IPCColumn], metadata: [String: String]) -> Buffer {
    var writer = Writer()
    let header = message(.schema, bodyByteCount: 0, &writer)
    let references = writer.table([.short(0), .reference, metadata.isEmpty ? .absent : .reference], at: header)
    write(columns, at: references[0], &writer)
    if !metadata.isEmpty { write(metadata, at: references[1], &writer) }
    return framed(&writer)
  }

  static func recordBatch(_ body: IPCBody) -> Buffer {
    var writer = Writer()
    let header = message(.recordBatch, bodyByteCount: body.byteCount, &writer)
    write(body, at: header, &writer)
    return framed(&writer)
  }

  static func dictionaryBatch(_ body: IPCBody, id: Int64) -> Buffer {
    var writer = Writer()
    let header = message(.dictionaryBatch, bodyByteCount: body.byteCount, &writer)
    let references = writer.table([.long(id), .reference, .bool(false)], at: header)
    write(body, at: references[0], &writer)
    return framed(&writer)
  }

  /// The mark that ends a stream.
  static let end = Buffer([IPCFormat.continuation, 0])

  private static func message(_ kind: IPCFormat.Message, bodyByteCount: Int, _ writer: inout Writer) -> Writer.Reference
  {
    let slots: [Writer.Slot] = [
      .short(IPCFormat.metadataV5), .byte(kind.rawValue), .reference, .long(Int64(bodyByteCount)),
    ]
    return writer.table(slots, at: Writer.root)[0]
  }

  private static func write(_ body: IPCBody, at reference: Writer.Reference, _ writer: inout Writer) {
    let references = writer.table([.long(Int64(body.rowCount)), .reference, .reference], at: reference)
    writer.structs(body.nodes, width: 2, at: references[0])
    writer.structs(body.buffers, width: 2, at: references[1])
  }

  /// Puts the continuation mark and the metadata's length before it.
  private static func framed(_ writer: inout Writer) -> Buffer {
    let metadata = writer.finish(prefix: 8, alignment: alignment)
    var message = BufferBuilder(capacity: 8 + metadata.byteCount)
    message.append(IPCFormat.continuation)
    message.append(Int32(metadata.byteCount))
    message.append(metadata)
    return message.finish()
  }

  private static func write(_ columns: [IPCColumn], at reference: Writer.Reference, _ writer: inout Writer) {
    let places = writer.references(count: columns.count, at: reference)
    for (column, place) in zip(columns, places) { write(column, at: place, &writer) }
  }

  private static func write(_ column: IPCColumn, at reference: Writer.Reference, _ writer: inout Writer) {
    let field = column.field
    let references = writer.table(
      [
        .reference, .bool(field.isNullable), .byte(typeID(column).rawValue), .reference,
        column.dictionaryID == nil ? .absent : .reference, .reference, field.metadata.isEmpty ? .absent : .reference,
      ], at: reference)
    writer.string(field.name, at: references[0])
    write(column.runEnds == nil ? field.type.valueType : .null, at: references[1], &writer)
    var next = 2
    if let id = column.dictionaryID, case .dictionary(let index, _, let isOrdered) = field.type {
      let parts = writer.table([.long(id), .reference, .bool(isOrdered)], at: references[next])
      write(index, at: parts[0], &writer)
      next += 1
    }
    write(column.statedChildren, at: references[next], &writer)
    if !field.metadata.isEmpty { write(field.metadata, at: references[next + 1], &writer) }
  }

  /// Writes key-value pairs, sorted by key, so that equal metadata gives equal bytes.
  private static func write(_ metadata: [String: String], at reference: Writer.Reference, _ writer: inout Writer) {
    let places = writer.references(count: metadata.count, at: reference)
    for (pair, place) in zip(metadata.sorted { $0.key < $1.key }, places) {
      let parts = writer.table([.reference, .reference], at: place)
      writer.string(pair.key, at: parts[0])
      writer.string(pair.value, at: parts[1])
    }
  }

  private static func typeID(_ column: IPCColumn) -> IPCFormat.TypeID {
    column.runEnds == nil ? typeID(column.field.type.valueType) : .runEndEncoded
  }

  private static func typeID(_ type: DataType) -> IPCFormat.TypeID {
    switch type {
    case .null: .null
    case .boolean: .bool
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: .int
    case .float16, .float32, .float64: .floatingPoint
    case .utf8: .utf8
    case .binary: .binary
    case .fixedSizeBinary: .fixedSizeBinary
    case .date32, .date64: .date
    case .time32, .time64: .time
    case .timestamp: .timestamp
    case .duration: .duration
    case .decimal128: .decimal
    case .list: .list
    case .fixedSizeList: .fixedSizeList
    case .structure: .structure
    case .map: .map
    case .dictionary(_, let value, _): typeID(value)
    }
  }

  /// Writes the table that the type's number promises.
  private static func write(_ type: DataType, at reference: Writer.Reference, _ writer: inout Writer) {
    func unit(_ unit: TimeUnit) -> Writer.Slot { .short(Int16(unit.rawValue)) }
    var zone: String?
    let slots: [Writer.Slot]
    switch type {
    case .int8, .int16, .int32, .int64: slots = [.int(Int32(type.byteWidth! * 8)), .bool(true)]
    case .uint8, .uint16, .uint32, .uint64: slots = [.int(Int32(type.byteWidth! * 8)), .bool(false)]
    case .float16: slots = [.short(0)]
    case .float32: slots = [.short(1)]
    case .float64: slots = [.short(2)]
    case .fixedSizeBinary(let width): slots = [.int(Int32(width))]
    case .date32: slots = [.short(0)]
    case .date64: slots = [.short(1)]
    case .time32(let time): slots = [unit(time), .int(32)]
    case .time64(let time): slots = [unit(time), .int(64)]
    case .timestamp(let time, let name):
      zone = name
      slots = [unit(time), name == nil ? .absent : .reference]
    case .duration(let time): slots = [unit(time)]
    case .decimal128(let precision, let scale): slots = [.int(Int32(precision)), .int(Int32(scale)), .int(128)]
    case .fixedSizeList(_, let count): slots = [.int(Int32(count))]
    case .map(_, let keysSorted): slots = [.bool(keysSorted)]
    case .null, .boolean, .utf8, .binary, .list, .structure, .dictionary: slots = []
    }
    let references = writer.table(slots, at: reference)
    if let zone { writer.string(zone, at: references[0]) }
  }
}
