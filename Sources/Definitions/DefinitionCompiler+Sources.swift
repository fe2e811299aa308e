import Arrow

extension DefinitionCompiler {
  mutating func compile(_ declared: Declared<SourceDefinition>) {
    let source = declared.value
    if source.name.isEmpty || set.source(source.name) != nil { return }
    set.sources.append(source)
    if !declared.isSound { faulty.insert("source \(source.name)") }
    checkPresent(source.path, "path", "path", at: declared.place)
    checkFields(source, declared.place)
    checkRoles(source, declared.place)
  }

  private func checkFields(_ source: SourceDefinition, _ place: DefinitionError.Place) {
    let steps = source.fields.map(\.path.steps)
    for (index, field) in source.fields.enumerated() {
      let place = place.at("fields").at(field.path.text)
      if !field.path.isValid { faults.add(.badPath(field.path.text), at: place) }
      if let other = (0..<index).first(where: { FieldPath.areInConflict(steps[$0], steps[index]) }) {
        faults.add(.pathConflict(field.path.text, source.fields[other].path.text), at: place)
      }
    }
  }

  private func checkRoles(_ source: SourceDefinition, _ place: DefinitionError.Place) {
    checkRole(source.user, "user", source, place, Role("an integer or a string", \.isKey))
    checkRole(source.ts, "ts", source, place, Role("a timestamp", \.isTimestamp))
    checkRole(source.id, "id", source, place, Role("an integer or a string", \.isKey))
    checkRole(source.revision, "revision", source, place, Role("an integer", \.arrowType.isInteger))
    checkRole(source.arrival, "arrival", source, place, Role("a timestamp", \.isTimestamp))
    checkRole(source.type, "type", source, place, Role("a string") { $0 == .scalar(.utf8) })
  }

  /// What the field in a role must be.
  private struct Role {
    var expected: String
    var accepts: (FieldType) -> Bool

    init(_ expected: String, _ accepts: @escaping (FieldType) -> Bool) {
      self.expected = expected
      self.accepts = accepts
    }
  }

  private func checkRole(
    _ path: FieldPath?, _ role: String, _ source: SourceDefinition, _ place: DefinitionError.Place, _ wanted: Role
  ) {
    guard let path else { return }
    guard let field = source.field(path) else {
      if faulty.contains("source \(source.name)") { return }
      return faults.add(.undeclaredField(path.text, known: source.fields.map(\.path.text)), at: place.at(role))
    }
    if path.arrayPath != nil { return faults.add(.roleInArray(path.text), at: place.at(role)) }
    if !wanted.accepts(field.type) {
      faults.add(.roleType(path.text, field.type.description, expected: wanted.expected), at: place.at(role))
    }
  }
}

extension FieldType {
  fileprivate var isKey: Bool { arrowType.isInteger || self == .scalar(.utf8) }
  fileprivate var isTimestamp: Bool { if case .timestamp = self { true } else { false } }
}

extension SourceDefinition {
  /// The type of `user_id`: int64 for any integer, else string.
  var userType: DataType { field(user)?.type.arrowType.isInteger == true ? .int64 : .utf8 }
}
