/// Reads the schema message's flatbuffer into columns.
///
/// Tables may be shared in a flatbuffer, so a small one could unfold to a huge tree: what is read is charged against a
/// budget that grows with the message.
struct IPCSchemaDecoder {
  private let buffer: FlatBuffer
  private var budget: Int

  init(_ buffer: FlatBuffer) {
    self.buffer = buffer
    budget = 4096 + buffer.bytes.byteCount * 8
  }

  mutating func columns(_ schema: FlatTable) throws(IPCError) -> [IPCColumn] {
    try children(schema.vector(1, elementByteCount: 4), depth: 0)
  }

  mutating func metadata(_ vector: FlatVector) throws(IPCError) -> [String: String] {
    var metadata: [String: String] = [:]
    for index in 0..<vector.count {
      let pair = try vector.table(index)
      let key = try text(pair, 0) ?? ""
      metadata[key] = try text(pair, 1) ?? ""
    }
    return metadata
  }

  private mutating func charge(_ cost: Int) throws(IPCError) {
    budget -= cost
    if budget < 0 { throw buffer.error("it unfolds to far more than its size") }
  }

  private mutating func text(_ table: FlatTable, _ number: Int) throws(IPCError) -> String? {
    let text = try table.string(number)
    try charge(8 + (text?.utf8.count ?? 0))
    return text
  }

  private mutating func children(_ vector: FlatVector, depth: Int) throws(IPCError) -> [IPCColumn] {
    guard depth < IPCFormat.depthLimit else {
      throw IPCError(.nestingTooDeep(limit: IPCFormat.depthLimit), byteOffset: buffer.byteOffset)
    }
    var columns: [IPCColumn] = []
    for index in 0..<vector.count { columns.append(try column(vector.table(index), depth: depth)) }
    return columns
  }

  private mutating func column(_ table: FlatTable, depth: Int) throws(IPCError) -> IPCColumn {
    try charge(16)
    let name = try text(table, 0) ?? ""
    var children = try children(table.vector(5, elementByteCount: 4), depth: depth + 1)
    var (type, isLarge) = try valueType(table, name: name, children: children.map(\.field))
    let runEnds = try isRunEndEncoded(table) ? children.removeFirst().field.type : nil
    var id: Int64?
    if let dictionary = try table.table(4) {
      id = try dictionary.integer(0, default: Int64(0))
      let index = try dictionary.table(1).map { table throws(IPCError) in try integerType(table, name) } ?? .int32
      type = .dictionary(index: index, value: type, isOrdered: try dictionary.bool(2))
    }
    let metadata = try metadata(table.vector(6, elementByteCount: 4))
    let field = Field(name, type, isNullable: try table.bool(1), metadata: metadata)
    return IPCColumn(
      field: field, dictionaryID: id, hasLargeOffsets: isLarge, runEnds: runEnds, children: children)
  }

  private func isRunEndEncoded(_ field: FlatTable) throws(IPCError) -> Bool {
    try field.integer(2, default: UInt8(0)) == IPCFormat.TypeID.runEndEncoded.rawValue
  }

  /// The type that `field` states, without its dictionary, and whether its offsets take 64 bits.
  private func valueType(
    _ field: FlatTable, name: String, children: [Field]
  ) throws(IPCError) -> (DataType, isLarge: Bool) {
    let number = try field.integer(2, default: UInt8(0))
    guard let id = IPCFormat.TypeID(rawValue: number), id != .none else {
      throw unsupported("number \(number)", name)
    }
    guard let table = try field.table(3) else { throw buffer.error("field '\(name)' has no type", at: field.position) }
    switch id {
    case .list, .largeList:
      return (.list(try only(children, of: name)), id == .largeList)
    case .fixedSizeList:
      let count = try table.integer(0, default: Int32(0))
      guard count >= 0 else { throw buffer.error("field '\(name)' has lists of \(count) values", at: field.position) }
      return (.fixedSizeList(try only(children, of: name), count: Int(count)), false)
    case .structure: return (.structure(children), false)
    case .map: return (.map(entries: try entries(children, of: name), keysSorted: try table.bool(0)), false)
    case .runEndEncoded: return (try runType(children, of: name), false)
    case .largeUtf8: return (.utf8, true)
    case .largeBinary: return (.binary, true)
    default: return (try flatType(id, table, name), false)
    }
  }

  private func flatType(_ id: IPCFormat.TypeID, _ table: FlatTable, _ name: String) throws(IPCError) -> DataType {
    switch id {
    case .null: return .null
    case .bool: return .boolean
    case .utf8: return .utf8
    case .binary: return .binary
    case .int: return try integerType(table, name)
    case .floatingPoint:
      let types: [DataType] = [.float16, .float32, .float64]
      return try choose(types, by: table.integer(0, default: Int16(0)), "floating-point precision", name)
    case .decimal: return try decimalType(table, name)
    case .date:
      return try choose([.date32, .date64], by: table.integer(0, default: Int16(1)), "date unit", name)
    case .time: return try timeType(table, name)
    case .timestamp: return .timestamp(try unit(table, default: 0, name), zone: try table.string(1).flatMap(nonEmpty))
    case .duration: return .duration(try unit(table, default: 1, name))
    case .fixedSizeBinary:
      let width = try table.integer(0, default: Int32(0))
      guard width >= 0 else { throw buffer.error("field '\(name)' has values of \(width) bytes", at: table.position) }
      return .fixedSizeBinary(byteWidth: Int(width))
    default: throw unsupported(try unsupportedName(id, table), name)
    }
  }

  private func integerType(_ table: FlatTable, _ name: String) throws(IPCError) -> DataType {
    let isSigned = try table.bool(1)
    switch try table.integer(0, default: Int32(0)) {
    case 8: return isSigned ? .int8 : .uint8
    case 16: return isSigned ? .int16 : .uint16
    case 32: return isSigned ? .int32 : .uint32
    case 64: return isSigned ? .int64 : .uint64
    case let width: throw unsupported("\(isSigned ? "int" : "uint")\(width)", name)
    }
  }

  private func decimalType(_ table: FlatTable, _ name: String) throws(IPCError) -> DataType {
    let width = try table.integer(2, default: Int32(128))
    guard width == 128 else { throw unsupported("decimal\(width)", name) }
    let precision = try table.integer(0, default: Int32(0))
    guard (1...38).contains(precision) else { throw unsupported("decimal128 of \(precision) digits", name) }
    return .decimal128(precision: Int(precision), scale: Int(try table.integer(1, default: Int32(0))))
  }

  private func timeType(_ table: FlatTable, _ name: String) throws(IPCError) -> DataType {
    let unit = try unit(table, default: 1, name)
    switch (unit, try table.integer(1, default: Int32(32))) {
    case (.second, 32), (.milli, 32): return .time32(unit)
    case (.micro, 64), (.nano, 64): return .time64(unit)
    case (_, let width): throw unsupported("time of \(width) bits in \(unit.symbol)", name)
    }
  }

  private func unit(_ table: FlatTable, default value: Int16, _ name: String) throws(IPCError) -> TimeUnit {
    try choose(TimeUnit.allCases, by: table.integer(0, default: value), "time unit", name)
  }

  private func choose<T>(_ all: [T], by number: Int16, _ what: String, _ name: String) throws(IPCError) -> T {
    guard all.indices.contains(Int(number)) else { throw unsupported("\(what) \(number)", name) }
    return all[Int(number)]
  }

  /// Runs are read as a dictionary of their values.
  private func runType(_ children: [Field], of name: String) throws(IPCError) -> DataType {
    guard children.count == 2, [.int16, .int32, .int64].contains(children[0].type) else {
      throw buffer.error("the children of run-end encoded field '\(name)' are no ends of runs and values")
    }
    let value = if case .dictionary(_, let value, _) = children[1].type { value } else { children[1].type }
    return .dictionary(index: .int32, value: value, isOrdered: false)
  }

  private func only(_ children: [Field], of name: String) throws(IPCError) -> Field {
    guard children.count == 1 else {
      throw buffer.error("field '\(name)' has \(children.count) children where 1 belongs")
    }
    return children[0]
  }

  private func entries(_ children: [Field], of name: String) throws(IPCError) -> Field {
    let entries = try only(children, of: name)
    guard case .structure(let pair) = entries.type, pair.count == 2 else {
      throw buffer.error("the entries of map '\(name)' are no structure of key and value")
    }
    return entries
  }

  private func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

  private func unsupported(_ type: String, _ field: String) -> IPCError {
    IPCError(.unsupportedType(type), byteOffset: buffer.byteOffset, field: field)
  }

  private func unsupportedName(_ id: IPCFormat.TypeID, _ table: FlatTable) throws(IPCError) -> String {
    switch id {
    case .interval:
      let units = ["interval[year_month]", "interval[day_time]", "interval[month_day_nano]"]
      let number = Int(try table.integer(0, default: Int16(0)))
      return units.indices.contains(number) ? units[number] : "interval"
    case .union: return try table.integer(0, default: Int16(0)) == 0 ? "sparse_union" : "dense_union"
    case .binaryView: return "binary_view"
    case .utf8View: return "string_view"
    case .listView: return "list_view"
    case .largeListView: return "large_list_view"
    default: return "\(id)"
    }
  }
}
