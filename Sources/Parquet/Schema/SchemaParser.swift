import Arrow

/// Turns the footer's flat list of schema elements into leaves and Arrow fields.
///
///     list    ::= group (LIST) { repeated group list { element } }        three levels
///               | group (LIST) { repeated element }                       two levels, of old writers
///               | repeated element                                        one level, no annotation
///     map     ::= group (MAP)  { repeated group key_value { key value } }
///     element ::= leaf | group
///
/// - Source: `LogicalTypes.md`, "Nested Types" and its backward-compatibility rules.
struct SchemaParser {
  /// Fields inside fields inside fields, at most.
  static let maxDepth = 64

  private let elements: [SchemaElement]
  private var next = 0
  private(set) var leaves: [LeafColumn] = []

  init(elements: [SchemaElement]) { self.elements = elements }

  /// Where in the tree a node stands.
  private struct Place {
    var path: [String] = []
    var definitionLevel = 0
    var repetitionLevel = 0
    var slotLevel = 0

    func entering(_ tree: Tree) -> Place {
      var place = self
      place.path.append(tree.element.name)
      if tree.element.repetition != .required { place.definitionLevel += 1 }
      if tree.element.repetition == .repeated {
        place.repetitionLevel += 1
        place.slotLevel = place.definitionLevel
      }
      return place
    }
  }

  private struct Tree {
    var element: SchemaElement
    var children: [Tree]
    var isGroup: Bool { element.physicalType == nil }
  }

  mutating func parse() throws(ParquetError) -> [ColumnNode] {
    guard !elements.isEmpty else { throw ParquetError(.invalidSchema("it has no root")) }
    let root = try tree(depth: 0)
    guard next == elements.count else {
      throw ParquetError(.invalidSchema("\(elements.count - next) elements follow the root's last child"))
    }
    guard root.isGroup else { throw ParquetError(.invalidSchema("its root is no group")) }
    var nodes: [ColumnNode] = []
    for child in root.children { nodes.append(try node(child, at: Place())) }
    return nodes
  }

  // MARK: The tree

  private mutating func tree(depth: Int) throws(ParquetError) -> Tree {
    guard next < elements.count else { throw ParquetError(.invalidSchema("children are missing at its end")) }
    let element = elements[next]
    next += 1
    guard depth <= Self.maxDepth else { throw fault(element, "is nested more than \(Self.maxDepth) deep") }
    guard depth == 0 || element.repetition != nil else { throw fault(element, "has no repetition") }
    let count = element.childCount ?? 0
    if element.physicalType != nil {
      guard count == 0 else { throw fault(element, "has both a type and children") }
      return Tree(element: element, children: [])
    }
    guard count >= (depth == 0 ? 0 : 1), count <= elements.count - next else {
      throw fault(element, "claims \(count) children")
    }
    var children: [Tree] = []
    for _ in 0..<count { children.append(try tree(depth: depth + 1)) }
    return Tree(element: element, children: children)
  }

  private func fault(_ element: SchemaElement, _ what: String) -> ParquetError {
    ParquetError(.invalidSchema("field '\(element.name)' \(what)"))
  }

  // MARK: Arrow fields

  /// A field that stands under a group: one of its repetition where it is repeated, else itself.
  private mutating func node(_ tree: Tree, at place: Place) throws(ParquetError) -> ColumnNode {
    guard tree.element.repetition == .repeated else { return try single(tree, at: place) }
    let element = try single(tree, at: place)
    return list(of: element, name: tree.element.name, isNullable: false, at: place)
  }

  /// The node itself, whether it is repeated or not.
  private mutating func single(_ tree: Tree, at place: Place) throws(ParquetError) -> ColumnNode {
    let inside = place.entering(tree)
    guard tree.isGroup else { return try leaf(tree.element, at: inside) }
    switch tree.element.annotation {
    case .list: return try annotatedList(tree, at: inside)
    case .map: return try annotatedMap(tree, at: inside)
    default: return try structure(tree, at: inside)
    }
  }

  private mutating func leaf(_ element: SchemaElement, at place: Place) throws(ParquetError) -> ColumnNode {
    let (type, metadata) = try arrowType(of: element, column: place.path.joined(separator: "."))
    let index = leaves.count
    leaves.append(
      LeafColumn(
        path: place.path, physicalType: element.physicalType!, typeLength: element.typeLength ?? 0,
        logicalType: element.annotation, repetition: element.repetition!,
        maxDefinitionLevel: place.definitionLevel, maxRepetitionLevel: place.repetitionLevel,
        slotLevel: place.slotLevel,
        arrowType: type))
    let field = Field(element.name, type, isNullable: element.repetition == .optional, metadata: metadata)
    return ColumnNode(
      field: field, definitionLevel: place.definitionLevel, repetitionLevel: place.repetitionLevel,
      kind: .leaf(index), leaves: index..<index + 1)
  }

  private mutating func structure(_ tree: Tree, at place: Place) throws(ParquetError) -> ColumnNode {
    let first = leaves.count
    var children: [ColumnNode] = []
    for child in tree.children { children.append(try node(child, at: place)) }
    let type = DataType.structure(children.map(\.field))
    return ColumnNode(
      field: Field(tree.element.name, type, isNullable: tree.element.repetition == .optional),
      definitionLevel: place.definitionLevel, repetitionLevel: place.repetitionLevel,
      kind: .structure(children), leaves: first..<leaves.count)
  }

  /// A list whose elements are a repeated node; `place` is where that node stands.
  private func list(of element: ColumnNode, name: String, isNullable: Bool, at place: Place) -> ColumnNode {
    ColumnNode(
      field: Field(name, .list(element.field), isNullable: isNullable),
      definitionLevel: place.definitionLevel, repetitionLevel: place.repetitionLevel,
      kind: .list(element), leaves: element.leaves)
  }

  private mutating func annotatedList(_ tree: Tree, at place: Place) throws(ParquetError) -> ColumnNode {
    guard tree.children.count == 1, let repeated = tree.children.first, repeated.element.repetition == .repeated else {
      throw fault(tree.element, "is a LIST without one repeated child")
    }
    let element =
      isElement(repeated, of: tree.element)
      ? try single(repeated, at: place)
      : try node(repeated.children[0], at: place.entering(repeated))
    return list(
      of: element, name: tree.element.name, isNullable: tree.element.repetition == .optional, at: place)
  }

  /// Whether the repeated child of a LIST is the element itself and not the middle of three levels.
  private func isElement(_ repeated: Tree, of list: SchemaElement) -> Bool {
    guard repeated.isGroup, repeated.children.count == 1 else { return true }
    return repeated.children[0].element.repetition == .repeated || repeated.element.name == "array"
      || repeated.element.name == list.name + "_tuple"
  }

  private mutating func annotatedMap(_ tree: Tree, at place: Place) throws(ParquetError) -> ColumnNode {
    guard tree.children.count == 1, let repeated = tree.children.first, repeated.element.repetition == .repeated,
      repeated.isGroup, repeated.children.count <= 2
    else { throw fault(tree.element, "is a MAP without one repeated child of key and value") }
    guard repeated.children.count == 2 else { return try annotatedList(tree, at: place) }
    let inner = place.entering(repeated)
    let first = leaves.count
    var key = try node(repeated.children[0], at: inner)
    let value = try node(repeated.children[1], at: inner)
    key.field.isNullable = false
    let entries = ColumnNode(
      field: Field(repeated.element.name, .structure([key.field, value.field]), isNullable: false),
      definitionLevel: inner.definitionLevel, repetitionLevel: inner.repetitionLevel,
      kind: .structure([key, value]), leaves: first..<leaves.count)
    return ColumnNode(
      field: Field(
        tree.element.name, .map(entries: entries.field, keysSorted: false),
        isNullable: tree.element.repetition == .optional),
      definitionLevel: place.definitionLevel, repetitionLevel: place.repetitionLevel,
      kind: .map(entries), leaves: entries.leaves)
  }
}
