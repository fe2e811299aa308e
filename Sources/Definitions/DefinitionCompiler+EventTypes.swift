import Arrow

extension DefinitionCompiler {
  mutating func compile(_ declared: Declared<EventTypeDefinition>) {
    let (eventType, place) = (declared.value, declared.place)
    if eventType.name.isEmpty || set.eventType(eventType.name) != nil { return }
    checkPresent(eventType.owner, "owner", "owner", at: place)
    if !Self.isName(eventType.dataset), !eventType.dataset.isEmpty || declared.isSound {
      faults.add(.badName(eventType.dataset), at: place.at("dataset"))
    }
    let isPartial = !declared.isSound || dependsOnFaulty(eventType)
    if isPartial { faulty.insert("event type \(eventType.name)") }
    if let source = set.source(eventType.source) {
      compile(eventType, source, isPartial: isPartial, place)
    } else {
      noteUnknownSource(eventType, place)
    }
  }

  /// Deduces the types of an event type's columns and adds them to its dataset.
  private mutating func compile(
    _ declared: EventTypeDefinition, _ source: SourceDefinition, isPartial: Bool, _ place: DefinitionError.Place
  ) {
    var eventType = declared
    checkRetention(eventType, source, place)
    let raw = rawScope(&eventType, source, place)
    raw.checkFilter(eventType.filter, at: place.at("where"), faults)
    compileColumns(&eventType, raw, place)
    var own = ExpressionScope(ownColumns(of: eventType, source), isPartial: isPartial)
    own.laterNames = Set(set.requestFeatures(of: eventType).map(\.name))
    var stored = compileEnrichments(&eventType.enrichments, own, place.at("enrich"))
    stored.laterNames = []
    _ = compileEnrichments(&eventType.requestEnrichments, stored, place.at("enrich at request"))
    set.eventTypes.append(eventType)
    extendDataset(eventType, source, place)
  }

  private mutating func noteUnknownSource(_ eventType: EventTypeDefinition, _ place: DefinitionError.Place) {
    if !eventType.source.isEmpty {
      faults.add(.unknown("source", eventType.source, known: set.sources.map(\.name)), at: place.at("source"))
    }
    faulty.insert("event type \(eventType.name)")
    set.eventTypes.append(eventType)
  }

  private func dependsOnFaulty(_ eventType: EventTypeDefinition) -> Bool {
    (eventType.enrichments + eventType.requestEnrichments).contains { step in
      guard case .lookup(let use) = step else { return false }
      return faulty.contains("lookup \(use.lookup)") || set.lookup(use.lookup) == nil
    }
  }

  private func checkRetention(
    _ eventType: EventTypeDefinition, _ source: SourceDefinition, _ place: DefinitionError.Place
  ) {
    let retention = eventType.retentionMicros
    if retention == 0 {
      faults.add(.zeroDuration, at: place.at("retention"))
    } else if retention > 0, retention < source.latenessMicros {
      faults.add(
        .retentionBelowLateness(retention, source.latenessMicros, source: source.name), at: place.at("retention"))
    }
  }

  /// The columns of raw events, exploded where the event type says so.
  private func rawScope(
    _ eventType: inout EventTypeDefinition, _ source: SourceDefinition, _ place: DefinitionError.Place
  ) -> ExpressionScope {
    let isPartial = faulty.contains("source \(source.name)")
    guard let explode = eventType.explode else { return ExpressionScope(source.rawSchema.fields, isPartial: isPartial) }
    let arrays = source.fields.compactMap(\.path.arrayPath)
    if !arrays.contains(explode.path.text) { faults.add(.noArray(explode.path.text), at: place.at("explode")) }
    if source.rawSchema[Explode.indexColumn] != nil {
      faults.add(.duplicate("column '\(Explode.indexColumn)'", first: nil), at: place.at("explode"))
    }
    let scope = ExpressionScope(source.rawSchema(exploding: explode).fields, isPartial: isPartial)
    if let key = explode.key.map({ columnName(of: $0, source) }) {
      eventType.explode?.key = key
      checkExplodeKey(key, scope, place.at("explode_key"))
    }
    return scope
  }

  private func checkExplodeKey(_ key: String, _ scope: ExpressionScope, _ place: DefinitionError.Place) {
    guard let type = scope.type(of: key, at: place, faults) else { return }
    if !type.isInteger, type != .utf8 {
      faults.add(.roleType(key, type.description, expected: "an integer or a string"), at: place)
    }
  }

  /// An expression that is the path of a field, brackets included, as the name of that field's column.
  private func columnName(of expression: String, _ source: SourceDefinition) -> String {
    source.field(FieldPath(expression))?.path.columnName ?? expression
  }

  private func compileColumns(
    _ eventType: inout EventTypeDefinition, _ raw: ExpressionScope, _ place: DefinitionError.Place
  ) {
    let source = set.source(eventType.source)
    checkColumns(eventType.columns.map { ($0.name, place.at("columns").at($0.name)) })
    for (index, column) in eventType.columns.enumerated() {
      let place = place.at("columns").at(column.name)
      let expression = source.map { columnName(of: column.expression, $0) } ?? column.expression
      let type = raw.type(of: expression, at: place, faults)
      checkRecorded(column.type, type, at: place)
      eventType.columns[index] = ComputedColumn(name: column.name, expression: expression, type: type ?? .null)
    }
  }

  /// A type that stands in compiled definitions must be the one that is deduced.
  func checkRecorded(_ recorded: DataType, _ deduced: DataType?, at place: DefinitionError.Place) {
    if recorded != .null, let deduced, recorded != deduced {
      faults.add(.typeDiffers(recorded: recorded, deduced: deduced), at: place)
    }
  }

  private func ownColumns(of eventType: EventTypeDefinition, _ source: SourceDefinition) -> [Field] {
    SystemColumns.stored(userType: source.userType) + eventType.columns.map(\.field)
  }

  /// Adds the event type's columns to its dataset, which other event types may have begun.
  private mutating func extendDataset(
    _ eventType: EventTypeDefinition, _ source: SourceDefinition, _ place: DefinitionError.Place
  ) {
    let index = datasetIndex(eventType.dataset, source.userType)
    if set.datasets[index].userType != source.userType {
      let other = set.eventTypes(dataset: eventType.dataset)[0].name
      let (mine, theirs) = (source.userType, set.datasets[index].userType)
      faults.add(.typeConflict(SystemColumns.user, mine, other: other, theirs), at: place.at("dataset"))
    }
    for column in set.features(of: eventType) where column.type != .null {
      extend(&set.datasets[index].schema, column, eventType, place)
    }
  }

  private mutating func datasetIndex(_ name: String, _ userType: DataType) -> Int {
    if let index = set.datasets.firstIndex(where: { $0.name == name }) { return index }
    set.datasets.append(DatasetDefinition(name: name, schema: Schema(SystemColumns.stored(userType: userType))))
    return set.datasets.count - 1
  }

  private func extend(
    _ schema: inout Schema, _ column: Field, _ eventType: EventTypeDefinition, _ place: DefinitionError.Place
  ) {
    guard let present = schema[column.name] else { return schema.fields.append(column) }
    guard present.type != column.type, !SystemColumns.names.contains(column.name) else { return }
    let other = set.eventTypes(dataset: eventType.dataset)
      .first { other in set.features(of: other).contains { $0.name == column.name && $0.type == present.type } }
    let reason = DefinitionError.Reason.typeConflict(
      column.name, column.type, other: other?.name ?? eventType.dataset, present.type)
    let isOwn = eventType.columns.contains { $0.name == column.name }
    faults.add(reason, at: place.at(isOwn ? "columns" : "enrich").at(column.name))
  }
}
