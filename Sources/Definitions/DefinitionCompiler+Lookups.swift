import Arrow

extension DefinitionCompiler {
  mutating func compile(_ declared: Declared<LookupDefinition>) {
    let (lookup, place) = (declared.value, declared.place)
    if lookup.name.isEmpty || set.lookup(lookup.name) != nil { return }
    set.lookups.append(lookup)
    if !declared.isSound { faulty.insert("lookup \(lookup.name)") }
    checkPresent(lookup.key, "key", "key column", at: place)
    if let asOf = lookup.asOf { checkPresent(asOf.column, "as_of", "column of the table", at: place) }
    let format = TableFormat(path: lookup.table)
    if format == nil { faults.add(.unknownTableFormat(lookup.table), at: place.at("table")) }
    if lookup.columns.isEmpty, declared.isSound { faults.add(.empty("column"), at: place.at("columns")) }
    for column in lookup.columns { check(column, format, place.at("columns").at(column.name)) }
    checkColumns(
      lookup.columns.flatMap { column in column.outputs.map { ($0.name, place.at("columns").at(column.name)) } })
  }

  private func check(_ column: LookupColumn, _ format: TableFormat?, _ place: DefinitionError.Place) {
    if column.source.isEmpty { faults.add(.empty("column of the table"), at: place) }
    if format == .csv, column.sourceType.isNested { faults.add(.nestedInCSV(column.sourceType), at: place) }
    if column.quantization != nil, !column.sourceType.isEmbedding {
      faults.add(.notQuantizable(column.sourceType), at: place)
    }
  }
}

/// The formats that a look-up's table may have, told apart by the file's name.
package enum TableFormat: String, Sendable, CaseIterable {
  case parquet, ndjson, csv

  /// nil when the name ends in none of them.
  package init?(path: String) {
    guard let format = Self.allCases.first(where: { path.hasSuffix(".\($0.rawValue)") }) else { return nil }
    self = format
  }
}

extension DataType {
  fileprivate var isNested: Bool {
    switch self {
    case .list, .fixedSizeList: true
    default: false
    }
  }

  fileprivate var isEmbedding: Bool {
    if case .fixedSizeList(let element, _) = self {
      element.type == .float32 || element.type == .float64
    } else {
      false
    }
  }
}
