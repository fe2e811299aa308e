import Buffers

/// Writes the metadata of messages: flatbuffers after Arrow's `Message.fbs` and `Schema.fbs`.
enum IPCMessageWriter {
  typealias Writer = FlatBufferWriter

  /// Bodies begin, and their buffers lie, at multiples of this many bytes of the stream.
  static let alignment = 64

  /// A schema message to which metadata may be added.
  struct SchemaHead {
    fileprivate let bytes: Buffer
    /// Of the metadata that is still to come.
    fileprivate let places: Writer.References
    fileprivate let count: Int

    var byteCount: Int { bytes.byteCount }
  }

  /// - Parameter more: how many pairs of metadata are added to those of the schema.
  static func schemaHead(_ columns: [IPCColumn], metadata: [String: String], more: Int) -> SchemaHead {
    var writer = Writer(after: prefix)
    let header = message(.schema, bodyByteCount: 0, &writer)
    let count = metadata.count + more
    let parts = writer.table([.short(0), .reference, count == 0 ? .absent : .reference], at: header)
    write(columns, at: parts[1], &writer)
    var places = Writer.References(start: 0)
    if count > 0 { places = write(metadata, more: more, at: parts[2], &writer) }
    return SchemaHead(
      bytes: writer.take(), places: Writer.References(start: places[metadata.count].position), count: more)
  }

  static func schema(_ head: SchemaHead, metadata: [(key: String, value: String)]) -> Buffer {
    precondition(metadata.count == head.count, "\(metadata.count) pairs of metadata for \(head.count)")
    var writer = Writer(head.bytes, start: prefix.byteCount)
    for index in metadata.indices { write(metadata[index], at: head.places[index], &writer) }
    return framed(&writer)
  }

  static func recordBatch(_ body: IPCBody) -> Buffer {
    var writer = Writer(after: prefix)
    let header = message(.recordBatch, bodyByteCount: body.byteCount, &writer)
    write(body, at: header, &writer)
    return framed(&writer)
  }

  static func dictionaryBatch(_ body: IPCBody, id: Int64) -> Buffer {
    var writer = Writer(after: prefix)
    let header = message(.dictionaryBatch, bodyByteCount: body.byteCount, &writer)
    let parts = writer.table([.long(id), .reference, .bool(false)], at: header)
    write(body, at: parts[1], &writer)
    return framed(&writer)
  }

  /// The continuation mark, and the metadata's length where it is filled in.
  private static let prefix = Buffer([IPCFormat.continuation, 0])

  /// The mark that ends a stream.
  static let end = Buffer([IPCFormat.continuation, 0])

  private static func message(_ kind: IPCFormat.Message, bodyByteCount: Int, _ writer: inout Writer) -> Writer.Reference
  {
    writer.table(
      [.short(IPCFormat.metadataV5), .byte(kind.rawValue), .reference, .long(Int64(bodyByteCount))], at: writer.root)[2]
  }

  private static func write(_ body: IPCBody, at reference: Writer.Reference, _ writer: inout Writer) {
    let parts = writer.table([.long(Int64(body.rowCount)), .reference, .reference], at: reference)
    writer.structs(body.nodes, width: 2, at: parts[1])
    writer.structs(body.buffers, width: 2, at: parts[2])
  }

  private static func framed(_ writer: inout Writer) -> Buffer {
    writer.finish(alignment: alignment, countPlace: 4)
  }

  private static func write(_ columns: [IPCColumn], at reference: Writer.Reference, _ writer: inout Writer) {
    let places = writer.references(count: columns.count, at: reference)
    for index in columns.indices { write(columns[index], at: places[index], &writer) }
  }

  private static func write(_ column: IPCColumn, at reference: Writer.Reference, _ writer: inout Writer) {
    let field = column.field
    let parts = writer.table(
      [
        .reference, .bool(field.isNullable), .byte(typeID(column).rawValue), .reference,
        column.dictionaryID == nil ? .absent : .reference, .reference, field.metadata.isEmpty ? .absent : .reference,
      ], at: reference)
    writer.string(field.name, at: parts[0])
    write(column.runEnds == nil ? field.type.valueType : .null, at: parts[3], &writer)
    if let id = column.dictionaryID, case .dictionary(let index, _, let isOrdered) = field.type {
      let encoding = writer.table([.long(id), .reference, .bool(isOrdered)], at: parts[4])
      write(index, at: encoding[1], &writer)
    }
    write(column.statedChildren, at: parts[5], &writer)
    if !field.metadata.isEmpty { _ = write(field.metadata, more: 0, at: parts[6], &writer) }
  }

  /// Writes key-value pairs, sorted by key, so that equal metadata gives equal bytes.
  ///
  /// - Parameter more: how many pairs will follow.
  /// - Returns: the places of all.
  private static func write(
    _ metadata: [String: String], more: Int, at reference: Writer.Reference, _ writer: inout Writer
  ) -> Writer.References {
    let places = writer.references(count: metadata.count + more, at: reference)
    for (index, pair) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
      write(pair, at: places[index], &writer)
    }
    return places
  }

  private static func write(
    _ pair: (key: String, value: String), at reference: Writer.Reference, _ writer: inout Writer
  ) {
    let parts = writer.table([.reference, .reference], at: reference)
    writer.string(pair.key, at: parts[0])
    writer.string(pair.value, at: parts[1])
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
    func table<let count: Int>(_ slots: [count of Writer.Slot]) { _ = writer.table(slots, at: reference) }
    switch type {
    case .int8, .int16, .int32, .int64: table([.int(Int32(type.byteWidth! * 8)), .bool(true)])
    case .uint8, .uint16, .uint32, .uint64: table([.int(Int32(type.byteWidth! * 8)), .bool(false)])
    case .float16: table([.short(0)])
    case .float32: table([.short(1)])
    case .float64: table([.short(2)])
    case .fixedSizeBinary(let width): table([.int(Int32(width))])
    case .date32: table([.short(0)])
    case .date64: table([.short(1)])
    case .time32(let time): table([unit(time), .int(32)])
    case .time64(let time): table([unit(time), .int(64)])
    case .timestamp(let time, nil): table([unit(time), .absent])
    case .timestamp(let time, let zone?):
      let parts = writer.table([unit(time), .reference], at: reference)
      writer.string(zone, at: parts[1])
    case .duration(let time): table([unit(time)])
    case .decimal128(let precision, let scale): table([.int(Int32(precision)), .int(Int32(scale)), .int(128)])
    case .fixedSizeList(_, let count): table([.int(Int32(count))])
    case .map(_, let keysSorted): table([.bool(keysSorted)])
    case .null, .boolean, .utf8, .binary, .list, .structure, .dictionary: table([])
    }
  }
}
