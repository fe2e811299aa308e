import Arrow
import Buffers

/// A column, or a part of one, as the encoder reads it.
@safe struct ValueNode: BitwiseCopyable {
  enum Kind: UInt8 {
    case null, boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64
    case text, binary, fixedBinary, decimal, date32, date64, time, timestamp, scaledTimestamp, duration
    case list, fixedSizeList, structure, map, stringMap, dictionary
  }

  var kind: Kind
  var unit = TimeUnit.second
  var isUTC = false
  var values: UnsafeRawPointer
  var offsets: UnsafeRawPointer
  /// Validity or boolean bits, each with the bit that the first row is.
  var validity: UnsafeRawPointer?
  var validityOffset = 0
  var bitOffset = 0
  /// Where `,"name":` lies among all names.
  var nameStart = 0
  var nameCount = 0
  /// The nodes of the children, among all child lists.
  var firstChild = 0
  var childCount = 0
  /// The units per second that a timestamp is written in, where that is a number.
  var writtenPerSecond = 1
  /// Bytes per value, elements per fixed-size list, or a decimal's scale.
  var width = 0
  /// How many bytes of data, elements or dictionary values there are to point at.
  var limit = 0
}

/// The columns of a batch with their children, and the buffers that keep them alive.
@safe struct ValueTree: ~Copyable {
  // SAFETY: the nodes point into `arrays`, which are immutable and whose buffers hold their `count` values. Rows are read
  // below that; what offsets and indices name is held against `limit`. The tables live as long as this value.
  private let nodeTable: Table<ValueNode>
  private let nameTable: Table<UInt8>
  private let childTable: Table<Int32>
  private let nodes: TableView<ValueNode>
  private let names: TableView<UInt8>
  private let children: TableView<Int32>
  private let arrays: [ArrowArray]
  private let writesNulls: Bool

  fileprivate init(
    nodes: [ValueNode], names: [UInt8], children: [Int32], arrays: [ArrowArray], writesNulls: Bool
  ) {
    nodeTable = Table(nodes)
    // A name is copied 32 bytes at a time.
    nameTable = Table(names + [UInt8](repeating: 0, count: 32))
    childTable = Table(children)
    (self.nodes, self.names, self.children) = (nodeTable.view, nameTable.view, childTable.view)
    (self.arrays, self.writesNulls) = (arrays, writesNulls)
  }

  /// Appends an object of the node's children.
  func appendObject(_ node: Int, _ row: Int, to output: inout JSONOutput) {
    output.append(UInt8(ascii: "{"))
    var skipped = 1
    let first = nodes[node].firstChild
    for place in first..<first &+ nodes[node].childCount {
      let member = Int(children[place])
      guard writesNulls || isValid(member, row) else { continue }
      unsafe output.appendShort(names.base + nodes[member].nameStart + skipped, nodes[member].nameCount &- skipped)
      skipped = 0
      append(member, row, to: &output)
    }
    output.append(UInt8(ascii: "}"))
  }

  /// The node of a child.
  func child(_ index: Int, of node: Int) -> Int { Int(children[nodes[node].firstChild + index]) }

  @inline(__always) private func isValid(_ node: Int, _ row: Int) -> Bool {
    guard let validity = unsafe nodes[node].validity else { return nodes[node].kind != .null }
    return unsafe Self.bit(validity, row &+ nodes[node].validityOffset)
  }

  @inline(__always) private static func bit(_ bits: UnsafeRawPointer, _ index: Int) -> Bool {
    unsafe bits.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: index & 7) & 1 == 1
  }

  /// Appends one value.
  func append(_ node: Int, _ row: Int, to output: inout JSONOutput) {
    guard isValid(node, row) else { return output.append("null") }
    switch nodes[node].kind {
    case .null: output.append("null")
    case .boolean: unsafe output.append(Self.bit(nodes[node].values, row + nodes[node].bitOffset) ? "true" : "false")
    case .int8: output.append(Int64(load(node, row, as: Int8.self)))
    case .int16: output.append(Int64(load(node, row, as: Int16.self)))
    case .int32: output.append(Int64(load(node, row, as: Int32.self)))
    case .int64: output.append(load(node, row, as: Int64.self))
    case .uint8: output.append(UInt64(load(node, row, as: UInt8.self)))
    case .uint16: output.append(UInt64(load(node, row, as: UInt16.self)))
    case .uint32: output.append(UInt64(load(node, row, as: UInt32.self)))
    case .uint64: output.append(load(node, row, as: UInt64.self))
    case .float16: appendHalf(load(node, row, as: UInt16.self), to: &output)
    case .float32: output.append(load(node, row, as: Float.self))
    case .float64: output.append(load(node, row, as: Double.self))
    case .text, .binary, .fixedBinary: appendBytes(node, row, to: &output)
    case .decimal: appendDecimal(load(node, row, as: Int128.self), scale: nodes[node].width, to: &output)
    case .date32, .date64, .time, .timestamp, .scaledTimestamp, .duration: appendTime(node, row, to: &output)
    case .list, .fixedSizeList, .structure, .map, .stringMap, .dictionary: appendNested(node, row, to: &output)
    }
  }

  @inline(__always) private func load<Value: BitwiseCopyable>(_ node: Int, _ row: Int, as type: Value.Type) -> Value {
    unsafe nodes[node].values.loadUnaligned(fromByteOffset: row &* MemoryLayout<Value>.stride, as: Value.self)
  }

  private func range(_ node: Int, _ row: Int) -> Range<Int> {
    if nodes[node].kind == .fixedSizeList { return row * nodes[node].width..<(row + 1) * nodes[node].width }
    let start = unsafe nodes[node].offsets.loadUnaligned(fromByteOffset: row * 4, as: Int32.self)
    let end = unsafe nodes[node].offsets.loadUnaligned(fromByteOffset: row * 4 + 4, as: Int32.self)
    let limit = nodes[node].limit
    return min(max(Int(start), 0), limit)..<min(max(Int(end), Int(start), 0), limit)
  }

  private func appendBytes(_ node: Int, _ row: Int, to output: inout JSONOutput) {
    let isFixed = nodes[node].kind == .fixedBinary
    let range = isFixed ? row * nodes[node].width..<(row + 1) * nodes[node].width : range(node, row)
    let start = unsafe nodes[node].values.assumingMemoryBound(to: UInt8.self) + range.lowerBound
    if nodes[node].kind == .text {
      unsafe output.appendString(start, range.count)
    } else {
      unsafe output.appendBase64(start, range.count)
    }
  }

  private func appendHalf(_ bits: UInt16, to output: inout JSONOutput) {
    let magnitude = Float(sign: .plus, exponent: -24, significand: Float(bits & 0x3FF))
    let exponent = Int(bits >> 10 & 31)
    let value =
      switch exponent {
      case 0: magnitude
      case 31: bits & 0x3FF == 0 ? Float.infinity : .nan
      default: Float(sign: .plus, exponent: exponent - 25, significand: Float(bits & 0x3FF | 0x400))
      }
    output.append(bits >> 15 == 1 ? -value : value)
  }

  private func appendDecimal(_ value: Int128, scale: Int, to output: inout JSONOutput) {
    var digits = String(value.magnitude)
    if value < 0 { output.append(UInt8(ascii: "-")) }
    if scale <= 0 {
      output.append(json: value == 0 ? "0" : digits + String(repeating: "0", count: -scale))
      return
    }
    if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
    output.append(json: String(digits.dropLast(scale)))
    output.append(UInt8(ascii: "."))
    output.append(json: String(digits.suffix(scale)))
  }

  private func appendTime(_ node: Int, _ row: Int, to output: inout JSONOutput) {
    let (unit, width) = (nodes[node].unit, nodes[node].width)
    let value = width == 4 ? Int64(load(node, row, as: Int32.self)) : load(node, row, as: Int64.self)
    switch nodes[node].kind {
    case .timestamp: output.append(timestamp: value, unit, isUTC: nodes[node].isUTC)
    case .scaledTimestamp: output.append(value.scaled(from: unit.perSecond, to: nodes[node].writtenPerSecond))
    case .duration: output.append(duration: value, unit)
    case .time:
      output.append(UInt8(ascii: "\""))
      output.append(timeOfDay: value, unit)
      output.append(UInt8(ascii: "\""))
    default:
      let days = nodes[node].kind == .date32 ? value : value.scaled(from: 86_400_000, to: 1)
      output.append(UInt8(ascii: "\""))
      output.append(daysSince1970: Int(days))
      output.append(UInt8(ascii: "\""))
    }
  }

  private func appendNested(_ node: Int, _ row: Int, to output: inout JSONOutput) {
    switch nodes[node].kind {
    case .structure: appendObject(node, row, to: &output)
    case .dictionary:
      let index = index(node, row)
      if index < 0 || index >= nodes[node].limit { return output.append("null") }
      append(child(0, of: node), index, to: &output)
    case .stringMap: appendMap(node, range(node, row), to: &output)
    default:
      output.append(UInt8(ascii: "["))
      let range = range(node, row)
      let child = child(0, of: node)
      for element in range {
        if element > range.lowerBound { output.append(UInt8(ascii: ",")) }
        append(child, element, to: &output)
      }
      output.append(UInt8(ascii: "]"))
    }
  }

  private func appendMap(_ node: Int, _ range: Range<Int>, to output: inout JSONOutput) {
    let (key, value) = (child(0, of: node), child(1, of: node))
    output.append(UInt8(ascii: "{"))
    for entry in range {
      if entry > range.lowerBound { output.append(UInt8(ascii: ",")) }
      append(key, entry, to: &output)
      output.append(UInt8(ascii: ":"))
      append(value, entry, to: &output)
    }
    output.append(UInt8(ascii: "}"))
  }

  private func index(_ node: Int, _ row: Int) -> Int {
    switch nodes[node].width {
    case 1: Int(load(node, row, as: UInt8.self))
    case 2: Int(load(node, row, as: UInt16.self))
    case 4: Int(load(node, row, as: UInt32.self))
    default: load(node, row, as: Int.self)
    }
  }
}

extension Int64 {
  /// A count of one unit in another, rounded down; both are given per second. Saturates.
  fileprivate func scaled(from: Int64, to: Int) -> Int64 {
    let to = Int64(to)
    if to >= from {
      let (product, overflow) = multipliedReportingOverflow(by: to / from)
      return overflow ? (self < 0 ? .min : .max) : product
    }
    let (quotient, remainder) = quotientAndRemainder(dividingBy: from / to)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

/// Lays arrays out as a `ValueTree`.
struct ValueTreeBuilder: ~Copyable {
  private let options: JSONEncodingOptions
  private var nodes: [ValueNode] = []
  private var names: [UInt8] = []
  private var children: [Int32] = []
  private var arrays: [ArrowArray] = []

  init(options: JSONEncodingOptions) { self.options = options }

  consuming func finish() -> ValueTree {
    ValueTree(nodes: nodes, names: names, children: children, arrays: arrays, writesNulls: options.writesNulls)
  }

  /// Adds a column with its children; answers its node.
  mutating func add(_ array: ArrowArray, name: String) -> Int {
    arrays.append(array)
    var node = unsafe ValueNode(
      kind: kind(of: array.type), values: Self.pointer(Self.values(array)), offsets: Self.pointer(Self.offsets(array)))
    if let validity = array.validity {
      unsafe node.validity = Self.pointer(validity.buffer)
      node.validityOffset = validity.bitOffset
    }
    if case .boolean(let bits) = array.storage { node.bitOffset = bits.bitOffset }
    describe(array.type, &node)
    node.limit = Self.limit(array)
    setName(name, &node)
    let place = nodes.count
    nodes.append(node)
    let below = addChildren(array, of: node.kind)
    setChildren(below, of: place)
    return place
  }

  /// Adds an object of the given columns, as a batch's row is one.
  mutating func addObject(_ members: [Int]) -> Int {
    nodes.append(unsafe ValueNode(kind: .structure, values: Self.pointer(.empty), offsets: Self.pointer(.empty)))
    setChildren(members, of: nodes.count - 1)
    return nodes.count - 1
  }

  private mutating func setChildren(_ below: [Int], of node: Int) {
    (nodes[node].firstChild, nodes[node].childCount) = (children.count, below.count)
    children += below.map(Int32.init)
  }

  private mutating func setName(_ name: String, _ node: inout ValueNode) {
    var text = JSONOutput(capacity: 64)
    text.append(UInt8(ascii: ","))
    text.append(string: name)
    text.append(UInt8(ascii: ":"))
    (node.nameStart, node.nameCount) = (names.count, text.byteCount)
    names += unsafe text.bytes.withUnsafeBytes { unsafe Array($0) }
  }

  private func kind(of type: DataType) -> ValueNode.Kind {
    switch type {
    case .null: .null
    case .boolean: .boolean
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    case .float16: .float16
    case .float32: .float32
    case .float64: .float64
    case .utf8: .text
    case .binary: .binary
    case .fixedSizeBinary: .fixedBinary
    case .date32: .date32
    case .date64: .date64
    case .time32, .time64: .time
    case .timestamp: options.timestamps == .rfc3339 ? .timestamp : .scaledTimestamp
    case .duration: .duration
    case .decimal128: .decimal
    case .list: .list
    case .fixedSizeList: .fixedSizeList
    case .structure: .structure
    case .map(let entries, _): Self.hasStringKeys(entries) ? .stringMap : .map
    case .dictionary: .dictionary
    }
  }

  private static func hasStringKeys(_ entries: Field) -> Bool {
    if case .structure(let fields) = entries.type { fields.first?.type == .utf8 && fields.count == 2 } else { false }
  }

  private func describe(_ type: DataType, _ node: inout ValueNode) {
    node.width = type.byteWidth ?? 0
    switch type {
    case .decimal128(_, let scale): node.width = scale
    case .fixedSizeList(_, let count): node.width = count
    case .time32(let unit), .time64(let unit), .duration(let unit): node.unit = unit
    case .timestamp(let unit, let zone):
      node.unit = unit
      node.isUTC = zone != nil
      node.writtenPerSecond = Int(1_000_000 / options.timestamps.microsPerUnit)
    default: break
    }
  }

  private mutating func addChildren(_ array: ArrowArray, of kind: ValueNode.Kind) -> [Int] {
    if kind == .stringMap {
      return array.children[0].children.map { add($0, name: "") }
    }
    guard case .structure(let fields) = array.type else { return array.children.map { add($0, name: "") } }
    return zip(fields, array.children).map { add($1, name: $0.name) }
  }

  /// - Note: unsafe because nothing keeps the memory alive; the tree does, through its arrays.
  @unsafe private static func pointer(_ buffer: Buffer) -> UnsafeRawPointer {
    unsafe buffer.withUnsafeBytes { $0.baseAddress! }
  }

  private static func values(_ array: ArrowArray) -> Buffer {
    switch array.storage {
    case .boolean(let bits): bits.buffer
    case .fixed(let values): values
    case .variable(_, let data): data
    case .dictionary(let indices, _): indices
    case .null, .list, .fixedSizeList, .structure: .empty
    }
  }

  private static func limit(_ array: ArrowArray) -> Int {
    switch array.storage {
    case .variable(_, let data): data.byteCount
    case .list(_, let child): child.count
    case .dictionary(_, let values): values.count
    case .null, .boolean, .fixed, .fixedSizeList, .structure: 0
    }
  }

  private static func offsets(_ array: ArrowArray) -> Buffer {
    switch array.storage {
    case .variable(let offsets, _), .list(let offsets, _): offsets
    default: .empty
    }
  }
}
