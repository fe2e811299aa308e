/// The declared fields as one tree: an object's keys, an array's elements, and at the leaves the columns.
struct PathTrie {
  struct Node {
    /// The first field that goes through here, for error messages.
    var path: String
    var children: [(key: [UInt8], node: Int)] = []
    /// The node of an array's elements.
    var element: Int?
    /// The field whose value this is.
    var leaf: Int?
    /// The field that keeps this value's text.
    var raw: Int?
    /// Every field read at or below this place.
    var fields: [Int] = []
  }

  var nodes = [Node(path: "")]

  init(_ specs: [JSONFieldSpec]) throws(JSONFieldError) {
    for (field, spec) in specs.enumerated() {
      var steps = try JSONPath(spec.path).steps
      if spec.isRequired, steps.contains(.elements) {
        throw JSONFieldError(path: spec.path, reason: .requiredInsideList)
      }
      let type = try Self.unwrap(spec, &steps)
      try insert(field, spec.path, steps, type)
    }
  }

  /// A list type is the same as its element's type under one more `[]`.
  private static func unwrap(_ spec: JSONFieldSpec, _ steps: inout [JSONPath.Step]) throws(JSONFieldError)
    -> JSONFieldType
  {
    var type = spec.type
    while case .list(let element) = type {
      steps.append(.elements)
      type = element
      guard steps.count <= JSONPath.maximumDepth else { throw JSONFieldError(path: spec.path, reason: .tooDeep) }
    }
    if case .fixedSizeList(let element, let count) = type,
      element != .float32 && element != .float64 || !(1...JSONFieldType.maximumLength).contains(count)
    {
      throw JSONFieldError(path: spec.path, reason: .unsupportedType(spec.type))
    }
    return type
  }

  private mutating func insert(
    _ field: Int, _ path: String, _ steps: [JSONPath.Step], _ type: JSONFieldType
  ) throws(JSONFieldError) {
    var node = 0
    for step in steps {
      nodes[node].fields.append(field)
      node = try self.step(step, from: node, path)
    }
    nodes[node].fields.append(field)
    let isTaken =
      nodes[node].leaf != nil || type != .json && (!nodes[node].children.isEmpty || nodes[node].element != nil)
    if isTaken || type == .json && nodes[node].raw != nil {
      let other = nodes[node].path
      throw JSONFieldError(path: path, reason: other == path ? .repeatedPath : .conflict(with: other))
    }
    if type == .json { nodes[node].raw = field } else { nodes[node].leaf = field }
  }

  private mutating func step(_ step: JSONPath.Step, from node: Int, _ path: String) throws(JSONFieldError) -> Int {
    let conflict = JSONFieldError(path: path, reason: .conflict(with: nodes[node].path))
    guard nodes[node].leaf == nil else { throw conflict }
    switch step {
    case .key(let key):
      guard nodes[node].element == nil else { throw conflict }
      if let child = nodes[node].children.first(where: { $0.key == key }) { return child.node }
      nodes[node].children.append((key, nodes.count))
    case .elements:
      guard nodes[node].children.isEmpty else { throw conflict }
      if let element = nodes[node].element { return element }
      nodes[node].element = nodes.count
    }
    nodes.append(Node(path: path))
    return nodes.count - 1
  }
}
