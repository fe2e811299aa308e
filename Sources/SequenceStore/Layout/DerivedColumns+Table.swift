import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet

// A table's properties `seqline.event_key` and `seqline.seen_at` name the columns that the two system columns follow
// from. They count for data files that lack them, and for rows in which another engine left them null when it rewrote
// such files together with others.

extension DerivedColumns {
  private static func property(_ name: String) -> String { "seqline.\(name)" }

  /// What a table's properties say.
  init(of table: TableMetadata) {
    self.init()
    for name in Self.names { self[name] = table.configuration[Self.property(name)] ?? nil }
  }

  /// A table's properties.
  var configuration: [String: String?] {
    var configuration: [String: String?] = [:]
    for name in Self.names {
      if let source = self[name] { configuration[Self.property(name)] = .some(source) }
    }
    return configuration
  }

  /// Those that a table can do without: it keeps storing a column that it has, and derives one from one column only.
  func kept(by table: Snapshot) -> DerivedColumns {
    let present = DerivedColumns(of: table.metadata)
    var kept = self
    for name in Self.names where table.schema[name] != nil || self[name] != present[name] ?? self[name] {
      kept[name] = nil
    }
    return kept
  }

  /// The column that `name` must be derived from in files of this schema; nil where it is stored or cannot be derived.
  func source(of name: String, in schema: ParquetSchema) -> String? {
    guard let source = self[name] else { return nil }
    guard let index = schema.columnIndex(of: name) else { return source }
    return schema.columns[index].field.isNullable ? source : nil
  }

  /// `names`, then the columns that those among them follow from which a file of this schema does not store.
  func sources(of names: [String], in schema: ParquetSchema) -> [String] {
    var all = names
    for source in names.compactMap({ source(of: $0, in: schema) }) where !all.contains(source) { all.append(source) }
    return all
  }

  /// The column `name` of a batch of a file: as it is stored, or derived; nil when it is neither there.
  func column(_ name: String, of batch: RecordBatch, in schema: ParquetSchema) -> ArrowArray? {
    let stored = batch[name]
    guard let source = source(of: name, in: schema), let column = batch[source] else { return stored }
    return Self.column(name, stored, from: column)
  }

  /// The column `name`, of which some rows may be stored, with the others derived from `source`.
  ///
  /// - Returns: `stored` where `source` has another type than definitions can give it.
  static func column(_ name: String, _ stored: ArrowArray?, from source: ArrowArray) -> ArrowArray? {
    if let stored, stored.nullCount == 0 { return stored }
    guard let derived = values(of: name, from: source) else { return stored }
    guard let stored, stored.type == derived.type else { return stored ?? derived }
    var values = FixedWidthBuilder<Int64>(capacity: stored.count)
    for row in 0..<stored.count {
      values.append((stored.isValid(row) ? stored : derived).values.load(row, as: Int64.self))
    }
    return values.take(as: stored.type)
  }

  private static func values(of name: String, from source: ArrowArray) -> ArrowArray? {
    switch name {
    case SystemColumns.eventKey: source.type.valueType == .utf8 ? EventKeys.keys(of: source) : nil
    default: source.type == .timestampMicrosUTC ? source : nil
    }
  }

  /// Whether what a batch says of `name` is what readers will derive.
  func holds(for name: String, in batch: RecordBatch) -> Bool {
    guard let source = self[name], let column = batch[source], let stated = batch[name],
      let derived = Self.values(of: name, from: column)
    else { return self[name] == nil }
    return stated.isEqual(to: derived)
  }
}

extension DerivedColumns {
  /// When the newest row of some files arrived, in microseconds, rounded up to the millisecond; nil when their statistics
  /// do not say.
  func newestSeenMicros(in files: [StoreFile]) -> Int64? {
    let seenAt = self[SystemColumns.seenAt] ?? SystemColumns.seenAt
    return files.compactMap { $0.statistics?.timestampRange(seenAt)?.upperBound }.max()
  }
}
