import Arrow

extension DefinitionSet {
  /// Resolves declarations: looks every name up, deduces every type, puts enrichments in order.
  /// - Throws: all that is wrong with them, in the order of the declarations.
  package init(compiling declarations: Declarations) throws(DefinitionErrors) {
    var compiler = DefinitionCompiler(declarations)
    self = try compiler.compile()
  }
}

/// Compiles declarations definition by definition; each fault is noted, and what follows from it passed over.
struct DefinitionCompiler {
  let declarations: Declarations
  let faults: Faults
  var set = DefinitionSet(
    version: 0, digest: "", sources: [], lookups: [], datasets: [], eventTypes: [], sequences: [])
  /// The definitions at fault, as `source log`: what they lack is not missed elsewhere.
  var faulty: Set<String> = []

  init(_ declarations: Declarations) {
    self.declarations = declarations
    faults = declarations.faults
  }

  mutating func compile() throws(DefinitionErrors) -> DefinitionSet {
    checkNames(declarations.sources, "source") { $0.name }
    checkNames(declarations.lookups, "lookup") { $0.name }
    checkNames(declarations.eventTypes, "event type") { $0.name }
    checkNames(declarations.sequences, "sequence") { $0.name }
    for source in declarations.sources { compile(source) }
    for lookup in declarations.lookups { compile(lookup) }
    for eventType in declarations.eventTypes { compile(eventType) }
    for sequence in declarations.sequences { compile(sequence) }
    if let count = declarations.shardCounts.first { set.shardCount = count.value }
    for other in declarations.shardCounts.dropFirst() {
      faults.add(.duplicate("the store", first: declarations.shardCounts[0].place.fileAndLine), at: other.place)
    }
    guard faults.errors.isEmpty else { throw DefinitionErrors(inOrder(faults.errors)) }
    set.digest = set.computedDigest
    return set
  }

  /// File by file, each by line; what has no line keeps its place among its kind.
  private func inOrder(_ errors: [DefinitionError]) -> [DefinitionError] {
    var files: [String?] = []
    let keyed = errors.enumerated().map { offset, error in
      if !files.contains(error.place.file) { files.append(error.place.file) }
      let file = files.firstIndex(of: error.place.file) ?? 0
      return (key: (file, error.place.line ?? 0, offset), error: error)
    }
    return keyed.sorted { $0.key < $1.key }.map(\.error)
  }

  private func checkNames<Value>(_ definitions: [Declared<Value>], _ kind: String, name: (Value) -> String) {
    var first: [String: DefinitionError.Place] = [:]
    for definition in definitions {
      let name = name(definition.value)
      if !Self.isName(name), definition.isSound || !name.isEmpty {
        faults.add(.badName(name), at: definition.place.at("name"))
      }
      if let earlier = first[name] {
        faults.add(.duplicate("\(kind) '\(name)'", first: earlier.fileAndLine), at: definition.place.at("name"))
      } else {
        first[name] = definition.place
      }
    }
  }

  /// Letters, digits, `_` and `-`, a letter first: such names are also parts of paths and addresses.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, Character(Unicode.Scalar(first)).isLetter, name.utf8.count <= 128 else {
      return false
    }
    return name.utf8.allSatisfy { byte in
      let character = Character(Unicode.Scalar(byte))
      return byte < 0x80 && (character.isLetter || character.isNumber || character == "_" || character == "-")
    }
  }

  /// Refuses names that no expression could write, and names used twice.
  ///
  /// - Parameters:
  ///   - names: the columns that one definition adds, each with its place.
  ///   - taken: names that are used already.
  func checkColumns(_ names: [(name: String, place: DefinitionError.Place)], besides taken: Set<String> = []) {
    var seen = taken
    for (name, place) in names {
      if SystemColumns.names.contains(name) {
        faults.add(.systemColumn(name), at: place)
      } else if !FieldPath.isKey(name) {
        faults.add(.badColumn(name), at: place)
      } else if ExpressionScope.isWord(name) {
        faults.add(.wordAsColumn(name), at: place)
      } else if !seen.insert(name).inserted {
        faults.add(.duplicate("column '\(name)'", first: nil), at: place)
      }
    }
  }

  func checkPresent(_ text: String, _ member: String, _ what: String, at place: DefinitionError.Place) {
    if text.isEmpty { faults.add(.empty(what), at: place.at(member)) }
  }
}

extension DefinitionError.Place {
  /// `definitions.py:12`, or nil when no file is known.
  var fileAndLine: String? { file.flatMap { file in line.map { "\(file):\($0)" } } }
}
