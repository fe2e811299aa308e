import Arrow

/// A place in the lines, as the walker reads it.
struct PathNode: BitwiseCopyable {
  enum Kind: UInt8 {
    /// The walker reads these where it finds the key; a timestamp is an integer with a scale.
    case string, int64, int32, object
    case array, bool, float64, float32, timestamp, rfc3339, fixedSizeList
    case int8, int16, uint8, uint16, uint32, uint64
    /// Only its text is kept.
    case raw
    /// In a key's entry: any but the first four.
    case other
  }

  var kind: Kind
  /// Whether the elements of a fixed-size list are float64.
  var isDouble = false
  /// The slots of the leaf, or of the array's ends.
  var slots: Int32 = -1
  /// The slots that keep the value's text; -1 for none.
  var rawSlots: Int32 = -1
  /// The rows that an array's elements are.
  var rows: Int32 = -1
  /// The node of an array's elements.
  var element: Int32 = -1
  /// The length of a fixed-size list.
  var length: Int32 = 0
  /// Micros per unit of an epoch timestamp.
  var scale: Int64 = 1
  /// The row for which an object was last entered, to notice a repeated key.
  var lastRow = -1
  // An object's keys: `KeyTable`'s slots among all entries.
  var firstEntry: Int32 = 0
  var multiplier: UInt64 = 0
}

/// Columns that grow row by row together: the lines', or those of one array's elements.
struct RowGroup {
  /// The slots written per row.
  var slots: [Int] = []
  /// Those among them that record an end per row.
  var slotsWithEnds: [Int] = []
}

/// The declared fields laid out for the walker.
struct PathPlan {
  var nodes: [PathNode] = []
  var entries: [KeyEntry] = []
  var keyBytes: [UInt8] = []
  var layouts: [ColumnSlots.Layout] = []
  /// The lines' group first.
  var groups = [RowGroup()]
  /// For each node: the nodes directly below it in the same rows.
  var children: [[Int]] = []
  /// For each node: its key in the object around it.
  var keys: [[UInt8]] = []
  /// For each node: the fields that a value of the wrong type leaves null.
  var typedFields: [[Int]] = []
  /// For each slot: the field that keeps its value's text there, if any.
  var rawFields: [[Int]] = []
  /// For each field: its slots, and the slots of the arrays around it, outermost first, each with its elements' group.
  var columns: [Column] = []

  struct Column {
    var slots = -1
    var lists: [(slots: Int, group: Int)] = []
  }

  init(_ specs: [JSONFieldSpec]) throws(JSONFieldError) {
    let trie = try PathTrie(specs)
    columns = Array(repeating: Column(), count: specs.count)
    children = Array(repeating: [], count: trie.nodes.count)
    keys = Array(repeating: [], count: trie.nodes.count)
    typedFields = trie.nodes.map { node in node.fields.filter { $0 != node.raw } }
    nodes = Array(repeating: PathNode(kind: .object), count: trie.nodes.count)
    lay(0, of: trie, specs, group: 0, lists: [])
    for index in entries.indices where entries[index].byteCount >= 0 { copyNode(to: &entries[index]) }
  }

  /// Lets an entry say what the walker needs for the commonest kinds of value.
  private func copyNode(to entry: inout KeyEntry) {
    let node = nodes[Int(entry.node)]
    (entry.slots, entry.scale) = (node.slots, node.scale)
    guard node.rawSlots < 0 else { return }
    switch node.kind {
    case .string, .int64, .int32, .object: entry.kind = node.kind
    case .timestamp: entry.kind = .int64
    default: entry.kind = .other
    }
  }

  private mutating func lay(
    _ node: Int, of trie: PathTrie, _ specs: [JSONFieldSpec], group: Int, lists: [(slots: Int, group: Int)]
  ) {
    let source = trie.nodes[node]
    if let field = source.raw {
      nodes[node].kind = .raw
      nodes[node].rawSlots = Int32(addSlots(.text, group))
      rawFields[Int(nodes[node].rawSlots)] = [field]
      columns[field] = Column(slots: Int(nodes[node].rawSlots), lists: lists)
    }
    if let field = source.leaf {
      let type = Self.scalar(specs[field].type)
      let slots = addSlots(Self.layout(type), group)
      setLeaf(node, type, slots)
      columns[field] = Column(slots: slots, lists: lists)
    } else if let element = source.element {
      let slots = addSlots(.list, group)
      groups.append(RowGroup())
      let inner = groups.count - 1
      nodes[node].kind = .array
      (nodes[node].slots, nodes[node].rows, nodes[node].element) = (Int32(slots), Int32(inner), Int32(element))
      lay(element, of: trie, specs, group: inner, lists: lists + [(slots, inner)])
    } else if !source.children.isEmpty || source.raw == nil {
      nodes[node].kind = .object
      setKeys(node, KeyTable(source.children))
      children[node] = source.children.map(\.node)
      for child in source.children { keys[child.node] = child.key }
      for child in children[node] { lay(child, of: trie, specs, group: group, lists: lists) }
    }
  }

  private static func scalar(_ type: JSONFieldType) -> JSONFieldType {
    if case .list(let element) = type { scalar(element) } else { type }
  }

  private static func layout(_ type: JSONFieldType) -> ColumnSlots.Layout {
    switch type {
    case .string, .json: .text
    case .bool: .fixed(width: 1)
    case .fixedSizeList(let element, let count): .fixed(width: element.arrowType.byteWidth! * count)
    default: .fixed(width: type.arrowType.byteWidth!)
    }
  }

  private mutating func addSlots(_ layout: ColumnSlots.Layout, _ group: Int) -> Int {
    layouts.append(layout)
    rawFields.append([])
    groups[group].slots.append(layouts.count - 1)
    if case .fixed = layout {} else { groups[group].slotsWithEnds.append(layouts.count - 1) }
    return layouts.count - 1
  }

  private mutating func setLeaf(_ node: Int, _ type: JSONFieldType, _ slots: Int) {
    nodes[node].slots = Int32(slots)
    nodes[node].kind =
      switch type {
      case .bool: .bool
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .uint8: .uint8
      case .uint16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      case .float32: .float32
      case .float64: .float64
      case .string: .string
      case .timestamp(.rfc3339): .rfc3339
      case .timestamp: .timestamp
      case .fixedSizeList: .fixedSizeList
      case .json, .list: preconditionFailure("\(type) is no leaf")
      }
    if case .timestamp(let form) = type { nodes[node].scale = form.microsPerUnit }
    if case .fixedSizeList(let element, let count) = type {
      nodes[node].length = Int32(count)
      nodes[node].isDouble = element == .float64
    }
  }

  private mutating func setKeys(_ node: Int, _ table: KeyTable) {
    nodes[node].firstEntry = Int32(entries.count)
    nodes[node].multiplier = table.multiplier
    entries += table.entries.map { entry in
      var entry = entry
      entry.start += Int32(keyBytes.count)
      return entry
    }
    keyBytes += table.bytes
  }
}
