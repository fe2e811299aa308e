import Arrow
import ArrowKernels
import Buffers
import Definitions
import JSONColumns
import Parquet

extension LookupTable {
  /// Loads the tables of all look-ups that event types use.
  /// - Parameters:
  ///   - time: of the uses that count.
  ///   - directory: where the look-ups' paths begin.
  package static func loadAll(
    of definitions: DefinitionSet, at time: EnrichmentTime = .index, directory: String
  ) throws -> [String: LookupTable] {
    var tables: [String: LookupTable] = [:]
    for name in definitions.lookups(at: time) {
      tables[name] = try load(definitions.lookup(name)!, directory: directory)
    }
    // What decoding took is not needed any more.
    FreedMemory.giveBack()
    return tables
  }

  /// Loads a table from Parquet, NDJSON or CSV, told apart by the file's name.
  /// - Throws: `LookupError` for a missing column, or one of another type.
  package static func load(_ lookup: LookupDefinition, directory: String) throws -> LookupTable {
    let path = lookup.path(in: directory)
    let columns = try LookupColumns(lookup)
    let format = TableFormat(path: path)
    let table = format == .parquet ? try columns.readParquet(path) : try columns.readText(path, isCSV: format == .csv)
    return try LookupTable(lookup, columns: columns, table: table, path: path)
  }

  private convenience init(_ lookup: LookupDefinition, columns: LookupColumns, table: RecordBatch, path: String) throws
  {
    func column(_ name: String, _ type: DataType) throws -> ArrowArray {
      guard let values = table[name] else { throw LookupError(path: path, reason: .missingColumn(name)) }
      guard let typed = values.conformed(to: type) else {
        throw LookupError(path: path, reason: .wrongType(column: name, found: values.type, expected: type))
      }
      return typed
    }
    let values = try lookup.columns.flatMap { definition in
      definition.outputs(of: try column(definition.source, definition.sourceType))
    }
    self.init(
      lookup.name, keys: try column(lookup.key, lookup.keyKind.arrowType),
      asOf: try lookup.asOf.map { try column($0.column, .timestampMicrosUTC) },
      fields: lookup.columns.flatMap(\.outputs), columns: values)
  }
}

/// The columns of a table that a look-up reads.
struct LookupColumns {
  private let fields: [(name: String, type: JSONFieldType)]

  init(_ lookup: LookupDefinition) throws {
    var fields = [(lookup.key, lookup.keyKind == .integer ? JSONFieldType.int64 : .string)]
    if let asOf = lookup.asOf { fields.append((asOf.column, JSONFieldType("timestamp[\(asOf.text.rawValue)]")!)) }
    for column in lookup.columns where !fields.contains(where: { $0.0 == column.source }) {
      fields.append((column.source, column.sourceType.textForm))
    }
    self.fields = fields
  }

  var names: [String] { fields.map(\.name) }

  /// Reads NDJSON or CSV, plain or compressed.
  ///
  /// A table is right or refused: a line or value that cannot be read is an error, not a null.
  func readText(_ path: String, isCSV: Bool) throws -> RecordBatch {
    var text = try TextFile.contents(path)
    if isCSV {
      let literal = fields.filter { ![.string, .timestamp(.rfc3339)].contains($0.type) }.map(\.name)
      do {
        text = try CSVText(literalColumns: Set(literal)).ndjson(text.bytes, columns: names)
      } catch {
        throw LookupError(path: path, reason: .csv(error))
      }
    }
    let decoder = try JSONColumnsDecoder(fields.map { JSONFieldSpec(path: $0.name, type: $0.type) })
    decoder.decode(text)
    let decoded = decoder.take()
    if let rejection = decoded.rejections.first {
      throw LookupError(path: path, reason: .badLine(rejection.line, rejection.reason))
    }
    for (field, count) in zip(fields, decoded.mismatches) where count > 0 {
      throw LookupError(path: path, reason: .wrongValues(column: field.name, count, expected: field.type))
    }
    let (keys, rowCount) = (decoded.batch.columns[0], decoded.batch.rowCount)
    if rowCount > 0, keys.nullCount == rowCount { throw LookupError(path: path, reason: .missingColumn(names[0])) }
    return decoded.batch
  }
}

/// A table that cannot serve a look-up.
package struct LookupError: Error, CustomStringConvertible {
  package enum Reason {
    case missingColumn(String)
    case wrongType(column: String, found: DataType, expected: DataType)
    case wrongValues(column: String, Int, expected: JSONFieldType)
    case badLine(Int, String)
    case csv(CSVError)
  }

  package var path: String
  package var reason: Reason

  package var description: String {
    switch reason {
    case .missingColumn(let name): "\(path): there is no column '\(name)'; correct the look-up's columns"
    case .wrongType(let column, let found, let expected):
      "\(path): column '\(column)' is \(found), not \(expected); correct the look-up's types"
    case .wrongValues(let column, let count, let expected):
      "\(path): column '\(column)' has \(count) values that are no \(expected); correct the look-up's types or the table"
    case .csv(let error): "\(path): \(error); correct the table"
    case .badLine(let line, let reason): "\(path): line \(line): \(reason); correct the table"
    }
  }
}

extension DataType {
  /// How NDJSON and CSV write values of the type; `conformed(to:)` makes them of the type itself.
  fileprivate var textForm: JSONFieldType {
    switch self {
    case .timestamp: .timestamp(.rfc3339)
    case .float16: .float32
    case .list(let element): .list(element.type.textForm)
    case .fixedSizeList(let element, _):
      JSONFieldType(description) ?? .list(element.type.textForm)
    default: JSONFieldType(description) ?? .string
    }
  }
}

extension ArrowArray {
  /// The values as `type`; nil when they cannot be.
  fileprivate func conformed(to type: DataType) -> ArrowArray? {
    let plain = decoded()
    if plain.type == type { return plain }
    if case .fixedSizeList(let element, let length) = type { return plain.fixedSizeLists(of: element, length: length) }
    return try? plain.cast(to: type)
  }

  /// Lists that all have `length` elements as a fixed-size list column; nil when one has not.
  private func fixedSizeLists(of element: Field, length: Int) -> ArrowArray? {
    let lists: ArrowArray? =
      if case .fixedSizeList(_, length) = self.type { self } else { fixedSizeList(length: length) }
    guard let lists, let elements = lists.children[0].conformed(to: element.type) else { return nil }
    return ArrowArray(
      .fixedSizeList(element, count: length), count: count, validity: validity,
      storage: .fixedSizeList(child: elements))
  }
}

extension LookupColumns {
  /// Reads the look-up's columns of a Parquet file.
  func readParquet(_ path: String) throws -> RecordBatch {
    do {
      return try parquetRows(path)
    } catch let error as ParquetError {
      throw FileError(path: path, error: error)
    }
  }

  /// A regular file is read a row group's columns at a time, so that little of it lies in memory beside its values.
  private func parquetRows(_ path: String) throws -> RecordBatch {
    let file = try OpenFile(reading: path)
    guard let bytes = FileBytes(file) else { return try rows(ParquetReader(file.contents()), path) }
    return try rows(ParquetReader(bytes), path)
  }

  private func rows(_ reader: ParquetReader<some ByteSource>, _ path: String) throws -> RecordBatch {
    let present = Set(reader.schema.fields.map(\.name))
    if let missing = names.first(where: { !present.contains($0) }) {
      throw LookupError(path: path, reason: .missingColumn(missing))
    }
    var batches: [RecordBatch] = []
    try reader.forEachBatch(columns: reader.columns(names)) { batches.append($0) }
    guard let first = batches.first else {
      return RecordBatch(Schema([]), [], rowCount: 0)
    }
    return batches.count == 1 ? first : RecordBatch.concatenate(batches)
  }
}
