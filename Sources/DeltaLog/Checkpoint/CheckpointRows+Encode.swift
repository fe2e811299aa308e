// A checkpoint is a Parquet file with a row per action and a struct column per kind of action, null in all other rows:
//   txn            appId, version, lastUpdated
//   add            path, partitionValues, size, modificationTime, dataChange, tags, stats
//   remove         path, deletionTimestamp, dataChange, extendedFileMetadata, partitionValues, size, tags
//   metaData       id, name, description, format {provider, options}, schemaString, partitionColumns, configuration,
//                  createdTime
//   protocol       minReaderVersion, minWriterVersion, readerFeatures, writerFeatures
//   domainMetadata domain, configuration, removed
import Arrow
import Buffers

/// Actions as the rows of a checkpoint, both ways.
/// - Source: Delta `PROTOCOL.md`, "Checkpoint Schema".
enum CheckpointRows {
  /// The actions that restore `snapshot`, one row each.
  ///
  /// - Parameter removedSince: files removed before this time are forgotten; vacuum has had its chance to see them.
  static func encode(_ snapshot: Snapshot, removedSince: Int64) -> RecordBatch {
    var actions: [Action] = [.tableProtocol(snapshot.tableProtocol), .metadata(snapshot.metadata)]
    actions += snapshot.transactions.values.sorted { $0.appID < $1.appID }.map { .transaction($0) }
    actions += snapshot.domains.values.sorted { $0.domain < $1.domain }.map { .domainMetadata($0) }
    actions += snapshot.removed.filter { $0.deletionMillis ?? 0 >= removedSince }.map { .remove($0) }
    actions += snapshot.files.map { .add($0) }
    return encode(actions)
  }

  static func encode(_ actions: [Action]) -> RecordBatch {
    let columns: [(String, ArrowArray)] = [
      ("txn", transactions(actions)), ("add", adds(actions)), ("remove", removes(actions)),
      ("metaData", metadata(actions)), ("protocol", protocols(actions)), ("domainMetadata", domains(actions)),
    ]
    let schema = Schema(columns.map { Field($0.0, $0.1.type) })
    return RecordBatch(schema, columns.map(\.1), rowCount: actions.count)
  }

  private static func transactions(_ actions: [Action]) -> ArrowArray {
    let rows = actions.map { if case .transaction(let own) = $0 { own } else { nil as AppTransaction? } }
    return structure(
      rows,
      [
        ("appId", texts(rows) { $0.appID }), ("version", integers(rows) { $0.version }),
        ("lastUpdated", integers(rows) { $0.lastUpdatedMillis }),
      ])
  }

  private static func adds(_ actions: [Action]) -> ArrowArray {
    // A checkpoint's files are all known already: dataChange is false, so that no reader takes them for news.
    let rows = actions.map { if case .add(let file) = $0 { file } else { nil as AddFile? } }
    return structure(
      rows,
      [
        ("path", texts(rows) { $0.path }), ("partitionValues", maps(rows) { $0.partitionValues }),
        ("size", integers(rows) { $0.byteCount }), ("modificationTime", integers(rows) { $0.modificationMillis }),
        ("dataChange", flags(rows) { _ in false }), ("tags", maps(rows) { $0.tags }),
        ("stats", texts(rows) { $0.statistics }),
      ])
  }

  private static func removes(_ actions: [Action]) -> ArrowArray {
    let rows = actions.map { if case .remove(let file) = $0 { file } else { nil as RemoveFile? } }
    return structure(
      rows,
      [
        ("path", texts(rows) { $0.path }), ("deletionTimestamp", integers(rows) { $0.deletionMillis }),
        ("dataChange", flags(rows) { _ in false }),
        ("extendedFileMetadata", flags(rows) { $0.extendedFileMetadata }),
        ("partitionValues", maps(rows) { $0.partitionValues }), ("size", integers(rows) { $0.byteCount }),
        ("tags", maps(rows) { $0.tags }),
      ])
  }

  private static func metadata(_ actions: [Action]) -> ArrowArray {
    let rows = actions.map { if case .metadata(let own) = $0 { own } else { nil as TableMetadata? } }
    let format = structure(
      rows, [("provider", texts(rows) { $0.provider }), ("options", maps(rows) { $0.providerOptions })])
    return structure(
      rows,
      [
        ("id", texts(rows) { $0.id }), ("name", texts(rows) { $0.name }), ("description", texts(rows) { $0.summary }),
        ("format", format), ("schemaString", texts(rows) { $0.schemaString }),
        ("partitionColumns", lists(rows) { $0.partitionColumns }), ("configuration", maps(rows) { $0.configuration }),
        ("createdTime", integers(rows) { $0.createdMillis }),
      ])
  }

  private static func protocols(_ actions: [Action]) -> ArrowArray {
    let rows = actions.map { if case .tableProtocol(let own) = $0 { own } else { nil as TableProtocol? } }
    func versions(_ version: (TableProtocol) -> Int) -> ArrowArray {
      ArrowArray(.int32, rows.map { row in row.map { Int32(clamping: version($0)) } })
    }
    return structure(
      rows,
      [
        ("minReaderVersion", versions(\.minReaderVersion)), ("minWriterVersion", versions(\.minWriterVersion)),
        ("readerFeatures", lists(rows) { $0.readerFeatures }), ("writerFeatures", lists(rows) { $0.writerFeatures }),
      ])
  }

  private static func domains(_ actions: [Action]) -> ArrowArray {
    let rows = actions.map { if case .domainMetadata(let own) = $0 { own } else { nil as DomainMetadata? } }
    return structure(
      rows,
      [
        ("domain", texts(rows) { $0.domain }), ("configuration", texts(rows) { $0.configuration }),
        ("removed", flags(rows) { $0.removed }),
      ])
  }
}

extension CheckpointRows {
  /// A struct column, null where `rows` is nil.
  private static func structure<Row>(_ rows: [Row?], _ children: [(String, ArrowArray)]) -> ArrowArray {
    let type = DataType.structure(children.map { Field($0.0, $0.1.type) })
    let validity = Bitmap(rows.map { $0 != nil })
    return ArrowArray(type, count: rows.count, validity: validity, storage: .structure(children: children.map(\.1)))
  }

  private static func texts<Row>(_ rows: [Row?], _ value: (Row) -> String?) -> ArrowArray {
    ArrowArray(rows.map { row in row.flatMap(value) })
  }

  private static func integers<Row>(_ rows: [Row?], _ value: (Row) -> Int64?) -> ArrowArray {
    ArrowArray(.int64, rows.map { row in row.flatMap(value) })
  }

  private static func flags<Row>(_ rows: [Row?], _ value: (Row) -> Bool?) -> ArrowArray {
    ArrowArray(rows.map { row in row.flatMap(value) })
  }

  private static func lists<Row>(_ rows: [Row?], _ value: (Row) -> [String]?) -> ArrowArray {
    var list = ListBuilder()
    var elements: [String?] = []
    for row in rows {
      let texts = row.flatMap(value)
      elements += texts ?? []
      list.close(childCount: elements.count, isValid: texts != nil)
    }
    return list.take(as: .list(Field("element", .utf8)), child: ArrowArray(elements))
  }

  private static func maps<Row>(_ rows: [Row?], _ value: (Row) -> [String: String?]?) -> ArrowArray {
    var list = ListBuilder()
    var keys: [String?] = []
    var values: [String?] = []
    for row in rows {
      let map = row.flatMap(value)
      for (key, value) in (map ?? [:]).sorted(by: { $0.key < $1.key }) {
        keys.append(key)
        values.append(value)
      }
      list.close(childCount: keys.count, isValid: map != nil)
    }
    let pair = [Field("key", .utf8, isNullable: false), Field("value", .utf8)]
    let entries = Field("key_value", .structure(pair), isNullable: false)
    let child = ArrowArray(
      entries.type, count: keys.count, storage: .structure(children: [ArrowArray(keys), ArrowArray(values)]))
    return list.take(as: .map(entries: entries, keysSorted: false), child: child)
  }
}
