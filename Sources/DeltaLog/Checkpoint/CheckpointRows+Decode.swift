import Arrow
import Buffers

extension CheckpointRows {
  /// The columns that hold actions; a checkpoint may have others.
  static let columns = ["txn", "add", "remove", "metaData", "protocol", "domainMetadata", "sidecar"]

  /// The actions of `batch`'s rows.
  /// - Throws: `.malformed` where a column has not the protocol's type or a value that must be there is null.
  static func decode(_ batch: RecordBatch) throws(DeltaError) -> [Action] {
    var actions: [Action] = []
    for (field, column) in zip(batch.schema.fields, batch.columns) where columns.contains(field.name) {
      let rows = try ActionRows(field.name, column)
      for row in 0..<batch.rowCount where column.isValid(row) {
        do { actions.append(try action(rows, row)) } catch { throw error.within("row \(row), column '\(field.name)'") }
      }
    }
    return actions
  }

  private static func action(_ rows: ActionRows, _ row: Int) throws(DeltaError) -> Action {
    switch rows.name {
    case "add": .add(try add(rows, row))
    case "remove": .remove(try remove(rows, row))
    case "metaData": .metadata(try metadata(rows, row))
    case "protocol":
      .tableProtocol(
        TableProtocol(
          minReaderVersion: Int(try rows.required("minReaderVersion", try rows.integer("minReaderVersion", row))),
          minWriterVersion: Int(try rows.required("minWriterVersion", try rows.integer("minWriterVersion", row))),
          readerFeatures: try rows.texts("readerFeatures", row), writerFeatures: try rows.texts("writerFeatures", row)))
    case "txn":
      .transaction(
        AppTransaction(
          appID: try rows.required("appId", try rows.text("appId", row)),
          version: try rows.required("version", try rows.integer("version", row)),
          lastUpdatedMillis: try rows.integer("lastUpdated", row)))
    case "domainMetadata":
      .domainMetadata(
        DomainMetadata(
          domain: try rows.required("domain", try rows.text("domain", row)),
          configuration: try rows.text("configuration", row) ?? "", removed: try rows.flag("removed", row) ?? false))
    default: throw DeltaError(.unsupportedReaderFeature("v2Checkpoint"))
    }
  }

  private static func add(_ rows: ActionRows, _ row: Int) throws(DeltaError) -> AddFile {
    AddFile(
      path: try rows.required("path", try rows.text("path", row)),
      partitionValues: try rows.map("partitionValues", row) ?? [:], byteCount: try rows.integer("size", row) ?? 0,
      modificationMillis: try rows.integer("modificationTime", row) ?? 0,
      dataChange: try rows.flag("dataChange", row) ?? false, statistics: try rows.text("stats", row),
      tags: try rows.map("tags", row), deletionVector: rows.isPresent("deletionVector", row) ? .bool(true) : nil)
  }

  private static func remove(_ rows: ActionRows, _ row: Int) throws(DeltaError) -> RemoveFile {
    RemoveFile(
      path: try rows.required("path", try rows.text("path", row)),
      deletionMillis: try rows.integer("deletionTimestamp", row), dataChange: try rows.flag("dataChange", row) ?? false,
      extendedFileMetadata: try rows.flag("extendedFileMetadata", row),
      partitionValues: try rows.map("partitionValues", row), byteCount: try rows.integer("size", row),
      tags: try rows.map("tags", row))
  }

  private static func metadata(_ rows: ActionRows, _ row: Int) throws(DeltaError) -> TableMetadata {
    let format = try rows.nested("format", row)
    return TableMetadata(
      id: try rows.text("id", row) ?? "", name: try rows.text("name", row),
      summary: try rows.text("description", row), provider: try format?.text("provider", row) ?? "parquet",
      providerOptions: try format?.map("options", row) ?? [:],
      schemaString: try rows.text("schemaString", row) ?? "",
      partitionColumns: try rows.texts("partitionColumns", row) ?? [],
      configuration: try rows.map("configuration", row) ?? [:], createdMillis: try rows.integer("createdTime", row))
  }
}

/// A struct column whose members are read by name and row; a member that is not there is null.
struct ActionRows {
  let name: String
  private let members: [String: ArrowArray]

  init(_ name: String, _ column: ArrowArray) throws(DeltaError) {
    guard case .structure(let fields) = column.type, case .structure(let children) = column.storage else {
      throw DeltaError(.malformed("column '\(name)' of the checkpoint is \(column.type), no struct"))
    }
    self.name = name
    members = Dictionary(zip(fields.map(\.name), children)) { first, _ in first }
  }

  func required<Value>(_ member: String, _ value: Value?) throws(DeltaError) -> Value {
    guard let value else { throw DeltaError(.malformed("member '\(member)' is null")) }
    return value
  }

  func isPresent(_ member: String, _ row: Int) -> Bool { members[member]?.isValid(row) ?? false }

  private func present(_ member: String, _ row: Int) -> ArrowArray? {
    members[member].flatMap { $0.isValid(row) ? $0 : nil }
  }

  private func mistyped(_ member: String, _ column: ArrowArray) -> DeltaError {
    DeltaError(.malformed("member '\(member)' is \(column.type)"))
  }

  func text(_ member: String, _ row: Int) throws(DeltaError) -> String? {
    guard let column = present(member, row) else { return nil }
    guard let text = column.text(row) else { throw mistyped(member, column) }
    return text
  }

  func integer(_ member: String, _ row: Int) throws(DeltaError) -> Int64? {
    guard let column = present(member, row) else { return nil }
    switch column.type {
    case .int64: return column.values.load(row, as: Int64.self)
    case .int32: return Int64(column.values.load(row, as: Int32.self))
    default: throw mistyped(member, column)
    }
  }

  func flag(_ member: String, _ row: Int) throws(DeltaError) -> Bool? {
    guard let column = present(member, row) else { return nil }
    guard column.type == .boolean else { throw mistyped(member, column) }
    return column.bits[row]
  }

  func texts(_ member: String, _ row: Int) throws(DeltaError) -> [String]? {
    guard let column = present(member, row) else { return nil }
    guard case .list(_, let child) = column.storage else { throw mistyped(member, column) }
    var texts: [String] = []
    for index in column.range(row) {
      guard let text = child.text(index) else { throw mistyped(member, column) }
      texts.append(text)
    }
    return texts
  }

  func map(_ member: String, _ row: Int) throws(DeltaError) -> [String: String?]? {
    guard let column = present(member, row) else { return nil }
    guard case .list(_, let entries) = column.storage, case .structure(let pair) = entries.storage, pair.count == 2
    else {
      throw mistyped(member, column)
    }
    var map: [String: String?] = [:]
    for index in column.range(row) {
      guard let key = pair[0].text(index) else { throw mistyped(member, column) }
      map.updateValue(pair[1].text(index), forKey: key)
    }
    return map
  }

  func nested(_ member: String, _ row: Int) throws(DeltaError) -> ActionRows? {
    guard let column = present(member, row) else { return nil }
    return try ActionRows(member, column)
  }
}

extension ArrowArray {
  /// Value `index` of a text column, in either layout; nil when it is null or the column holds no text.
  fileprivate func text(_ index: Int) -> String? {
    guard isValid(index) else { return nil }
    switch storage {
    case .variable: return string(index)
    case .dictionary(_, let values): return values.text(dictionaryIndex(index))
    default: return nil
    }
  }
}
