import Arrow

/// What the rows of an output can look like: a schema for each shape of event type, for instance.
struct OutputSchemas {
  private let schemas: [Schema]
  private let columns: [String]?

  /// - Parameters:
  ///   - schemas: of all batches that may come; empty when that is not known.
  ///   - columns: those that are wanted; nil: all.
  /// - Throws: `UnknownColumn` when no batch can have one of them.
  init(_ schemas: [Schema], columns: [String]?) throws(UnknownColumn) {
    self.schemas = schemas
    self.columns = columns
    guard let first = schemas.first else { return }
    var known = first.fields.map(\.name)
    for name in schemas.dropFirst().flatMap({ $0.fields.map(\.name) }) where !known.contains(name) {
      known.append(name)
    }
    for name in columns ?? [] where !known.contains(name) { throw UnknownColumn(name: name, known: known) }
  }

  /// The schema of a table without rows: the columns of all that could have come.
  /// - Throws: `NoSchema` when they are not known, or cannot be in one table.
  func ofNoRows() throws(NoSchema) -> Schema {
    guard var all = schemas.first else { throw NoSchema(reason: .unknown) }
    for schema in schemas.dropFirst() {
      all.metadata = all.metadata.filter { schema.metadata[$0.key] == $0.value }
      for field in schema.fields {
        guard let known = all[field.name] else {
          all.fields.append(field)
          continue
        }
        guard known.type.valueType == field.type.valueType else { throw NoSchema(reason: .conflict(field.name)) }
      }
    }
    if let columns { all.fields = columns.compactMap { all[$0] } }
    return all
  }
}

/// A column is wanted that no row can have.
struct UnknownColumn: Error, CustomStringConvertible {
  var name: String
  var known: [String]

  var description: String { "--columns: there is no column '\(name)'; there are \(known.joined(separator: ", "))" }
}

/// An Arrow stream or Parquet file is to be written of no rows, and there is no one schema for it.
struct NoSchema: Error, CustomStringConvertible {
  enum Reason {
    case unknown
    case conflict(String)
  }

  var reason: Reason

  var description: String {
    switch reason {
    case .unknown:
      "no rows came, so the columns of the Arrow stream or Parquet file are not known; give --definitions"
    case .conflict(let column):
      "no rows came, and column '\(column)' has one type or another depending on the event type; choose one --event-type, "
        + "or --format frames"
    }
  }
}
