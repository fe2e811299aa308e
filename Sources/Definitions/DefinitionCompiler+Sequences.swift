import Arrow

extension DefinitionCompiler {
  mutating func compile(_ declared: Declared<SequenceDefinition>) {
    var sequence = declared.value
    let place = declared.place
    if sequence.name.isEmpty || set.sequence(sequence.name) != nil { return }
    checkPresent(sequence.owner, "owner", "owner", at: place)
    let eventTypes = resolveEvents(sequence, isSound: declared.isSound, place)
    let scope = scope(of: eventTypes, place)
    if let filter = sequence.filter { scope.checkFilter(filter, at: place.at("where"), faults) }
    let requestColumns = requestColumns(of: eventTypes, scope, place)
    compileColumns(&sequence, scope, requestColumns, isSound: declared.isSound, place)
    compileHistory(&sequence, scope, eventTypes, place)
    if let merge = sequence.merge { check(merge, sequence, scope, eventTypes, place.at("merge")) }
    compileObjects(&sequence, scope, place.at("objects"))
    checkCaps(sequence, place)
    if sequence.freshnessMicros == 0 { faults.add(.zeroDuration, at: place.at("freshness")) }
    if let window = sequence.windowMicros { checkWindow(window, sequence, eventTypes, place.at("window")) }
    set.sequences.append(sequence)
  }

  private func resolveEvents(
    _ sequence: SequenceDefinition, isSound: Bool, _ place: DefinitionError.Place
  ) -> [EventTypeDefinition] {
    if sequence.eventTypes.isEmpty, isSound { faults.add(.empty("event type"), at: place.at("events")) }
    var seen: Set<String> = []
    return sequence.eventTypes.enumerated().compactMap { index, name in
      let place = place.at("events[\(index)]")
      if !seen.insert(name).inserted { faults.add(.duplicate("event type '\(name)'", first: nil), at: place) }
      if let eventType = set.eventType(name) { return eventType }
      faults.add(.unknown("event type", name, known: set.eventTypes.map(\.name)), at: place)
      return nil
    }
  }

  /// The columns of all datasets that the sequence is a view over.
  ///
  /// A column that several of them have under different types is named once and left out.
  private func scope(of eventTypes: [EventTypeDefinition], _ place: DefinitionError.Place) -> ExpressionScope {
    var columns: [Field] = []
    var origins: [String: String] = [:]
    for eventType in eventTypes {
      let known = set.dataset(eventType.dataset)?.schema.fields ?? []
      let broken = set.features(of: eventType).filter { $0.type == .null }
      for column in known + broken {
        guard let index = columns.firstIndex(where: { $0.name == column.name }) else {
          columns.append(column)
          origins[column.name] = eventType.name
          continue
        }
        guard columns[index].type != column.type, columns[index].type != .null, column.type != .null else { continue }
        let other = origins[column.name] ?? ""
        let reason = DefinitionError.Reason.typeConflict(column.name, column.type, other: other, columns[index].type)
        faults.add(reason, at: place.at("events"))
        columns[index].type = .null
      }
    }
    let isPartial = eventTypes.isEmpty || eventTypes.contains { faulty.contains("event type \($0.name)") }
    var scope = ExpressionScope(columns, isPartial: isPartial)
    scope.laterNames = Set(eventTypes.flatMap { set.requestFeatures(of: $0) }.map(\.name))
    return scope
  }

  /// The columns that event types add when they are read, of one type for one name.
  private func requestColumns(
    of eventTypes: [EventTypeDefinition], _ scope: ExpressionScope, _ place: DefinitionError.Place
  ) -> [Field] {
    var columns: [Field] = []
    for eventType in eventTypes {
      for column in set.requestFeatures(of: eventType) where column.type != .null {
        let other = columns.first { $0.name == column.name } ?? scope.schema[column.name]
        if let other, other.type != column.type {
          let owner = eventTypes.first { $0 != eventType && features(of: $0).contains(other) }
          faults.add(
            .typeConflict(column.name, column.type, other: owner?.name ?? "", other.type), at: place.at("events"))
        }
        if other == nil || scope.schema[column.name] != nil { columns.append(column) }
      }
    }
    return columns
  }

  private func features(of eventType: EventTypeDefinition) -> [Field] {
    set.features(of: eventType) + set.requestFeatures(of: eventType)
  }

  private func compileColumns(
    _ sequence: inout SequenceDefinition, _ scope: ExpressionScope, _ requestColumns: [Field], isSound: Bool,
    _ place: DefinitionError.Place
  ) {
    if sequence.columns.isEmpty, isSound { faults.add(.empty("column"), at: place.at("columns")) }
    var seen: Set<String> = []
    for (index, column) in sequence.columns.enumerated() {
      let place = place.at("columns[\(index)]")
      if !seen.insert(column.name).inserted { faults.add(.duplicate("column '\(column.name)'", first: nil), at: place) }
      guard let known = scope.schema[column.name] ?? requestColumns.first(where: { $0.name == column.name }) else {
        if !scope.isExcused(column.name) {
          let names = scope.names + requestColumns.map(\.name)
          faults.add(.unknown("column", column.name, known: names), at: place)
        }
        continue
      }
      checkRecorded(column.type, known.type, at: place)
      sequence.columns[index] = Field(column.name, known.type)
    }
  }

  private func compileHistory(
    _ sequence: inout SequenceDefinition, _ scope: ExpressionScope, _ eventTypes: [EventTypeDefinition],
    _ place: DefinitionError.Place
  ) {
    let place = place.at("derive")
    checkColumns(
      sequence.history.map { ($0.name, place.at($0.name)) }, besides: Set(sequence.columns.map(\.name)))
    for (index, column) in sequence.history.enumerated() {
      let place = place.at(column.name)
      if case .counter(_, _, _, let window?) = column.computation {
        checkWindow(window, sequence, eventTypes, place.at("window"))
      }
      let type = historyType(column.computation, scope, place)
      checkRecorded(column.type, type, at: place)
      sequence.history[index].type = type ?? .null
    }
  }

  private func historyType(
    _ computation: HistoryColumn.Computation, _ scope: ExpressionScope, _ place: DefinitionError.Place
  ) -> DataType? {
    switch computation {
    case .counter(let aggregate, let column, let filter, _):
      if let filter { scope.checkFilter(filter, at: place.at("where"), faults) }
      return counterType(aggregate, column, scope, place.at("column"))
    case .session(let gap):
      if gap == 0 { faults.add(.zeroDuration, at: place.at("gap")) }
      return .timestampMicrosUTC
    case .gap(let filter):
      if let filter { scope.checkFilter(filter, at: place.at("where"), faults) }
    }
    return .int64
  }

  private func counterType(
    _ aggregate: HistoryColumn.Aggregate, _ name: String?, _ scope: ExpressionScope, _ place: DefinitionError.Place
  ) -> DataType? {
    guard aggregate != .count else {
      if let name { faults.add(.countOfColumn(name), at: place) }
      return .int64
    }
    guard let name else {
      faults.add(.empty("column to take the \(aggregate.rawValue) of"), at: place)
      return nil
    }
    guard let column = columnType(name, scope, place) else { return nil }
    if let type = aggregate.type(of: column) { return type }
    faults.add(.notAggregatable(aggregate.rawValue, Field(name, column)), at: place)
    return nil
  }

  private func check(
    _ merge: MergeDefinition, _ sequence: SequenceDefinition, _ scope: ExpressionScope,
    _ eventTypes: [EventTypeDefinition], _ place: DefinitionError.Place
  ) {
    _ = keyType(merge.key, scope, place.at("key"))
    checkWindow(merge.withinMicros, sequence, eventTypes, place.at("within"))
    guard let actions = merge.actions else { return }
    let place = place.at("actions")
    let taken = sequence.columns.map(\.name) + sequence.history.map(\.name)
    checkColumns([(actions.name, place.at("name"))], besides: Set(taken))
    if let type = columnType(actions.column, scope, place.at("column")), type != .utf8 {
      faults.add(.roleType(actions.column, "\(type)", expected: "a column of strings"), at: place.at("column"))
    }
    for (index, value) in actions.values.enumerated() where actions.values[..<index].contains(value) {
      faults.add(.duplicate("value '\(value)'", first: nil), at: place.at("values[\(index)]"))
    }
  }

  private func compileObjects(
    _ sequence: inout SequenceDefinition, _ scope: ExpressionScope, _ place: DefinitionError.Place
  ) {
    guard let objects = sequence.objects else { return }
    if let type = keyType(objects.key.name, scope, place.at("key")) {
      checkRecorded(objects.key.type, type, at: place.at("key"))
      sequence.objects?.key = Field(objects.key.name, type)
    }
    if objects.fields(sequence.eventTypes).dropFirst().contains(where: { $0.name == objects.key.name }) {
      faults.add(.duplicate("column '\(objects.key.name)'", first: nil), at: place.at("key"))
    }
  }

  /// The type of a column that tells items apart; nil where it was noted why it cannot.
  private func keyType(_ name: String, _ scope: ExpressionScope, _ place: DefinitionError.Place) -> DataType? {
    guard let type = columnType(name, scope, place) else { return nil }
    if type.isInteger || type == .utf8 { return type }
    faults.add(.roleType(name, "\(type)", expected: "a column of integers or strings"), at: place)
    return nil
  }

  private func columnType(_ name: String, _ scope: ExpressionScope, _ place: DefinitionError.Place) -> DataType? {
    if let column = scope.schema[name] { return column.type }
    if !scope.isExcused(name) { faults.add(scope.unknown(name), at: place) }
    return nil
  }

  private func checkCaps(_ sequence: SequenceDefinition, _ place: DefinitionError.Place) {
    var seen: Set<String> = []
    for cap in sequence.caps {
      let place = place.at("caps").at(cap.eventType)
      if !seen.insert(cap.eventType).inserted {
        faults.add(.duplicate("event type '\(cap.eventType)'", first: nil), at: place)
      }
      if !sequence.eventTypes.contains(cap.eventType) {
        faults.add(.capOutside(cap.eventType, known: sequence.eventTypes), at: place)
      }
    }
  }

  /// A window that looks back further than any event is kept does not mean what it says.
  private func checkWindow(
    _ window: Int64, _ sequence: SequenceDefinition, _ eventTypes: [EventTypeDefinition],
    _ place: DefinitionError.Place
  ) {
    if window == 0 { faults.add(.zeroDuration, at: place) }
    guard eventTypes.count == sequence.eventTypes.count, let longest = eventTypes.max(by: Self.isKeptLess) else {
      return
    }
    if window > longest.retentionMicros, longest.retentionMicros > 0 {
      faults.add(.windowBeyondRetention(window, longest.retentionMicros, eventType: longest.name), at: place)
    }
  }

  private static func isKeptLess(_ first: EventTypeDefinition, _ second: EventTypeDefinition) -> Bool {
    first.retentionMicros < second.retentionMicros
  }
}

extension HistoryColumn.Aggregate {
  /// The type of the aggregate of a column of that type; nil when there is none.
  func type(of column: DataType) -> DataType? {
    switch self {
    case .count: .int64
    case .sum: column.isInteger ? .int64 : column.isFloat ? .float64 : nil
    case .mean: column.isInteger || column.isFloat ? .float64 : nil
    case .min, .max: column.isInteger || column.isFloat || column == .timestampMicrosUTC ? column : nil
    }
  }
}
