import Definitions
import DeltaLog
import JSONText
import Parquet

/// How large a dataset is, and what takes the room: what `seq-store stat` prints.
package struct DatasetReport: Sendable {
  package struct Column: Sendable {
    package var name: String
    package var type: String
    /// Of all pages, as stored and before compression.
    package var compressedByteCount = 0
    package var uncompressedByteCount = 0
  }

  package var dataset: String
  /// Of the table; nil where there is none, but rows of the live log.
  package var version: Int64?
  package var rowCount = 0
  package var fileCount = 0
  package var rowGroupCount = 0
  /// Of all files.
  package var byteCount = 0
  package var bloomFilterByteCount = 0
  package var pageIndexByteCount = 0
  /// The first and last day; nil when it is empty.
  package var days: ClosedRange<Day>?
  package var bucketCount = 0
  package var columns: [Column] = []
  /// Events by type.
  package var eventTypes: [String: Int] = [:]
  package var retractionCount = 0
  /// Files that compaction merges whenever there are two in a bucket.
  package var smallFileCount = 0
  /// Rows of the live log that are durable and not in the table.
  package var liveRowCount = 0
  /// When the newest row of table and live log arrived, in microseconds; nil without rows.
  package var newestSeenMicros: Int64?
  /// The latest input horizon of a replacement, in microseconds.
  package var horizonMicros: Int64?
  /// What is known to be unlike before.
  package var anomalies: [Anomaly] = []

  /// - Parameter definitions: that say which dataset the live log's event types belong to.
  /// - Throws: `.noSuchDataset` when neither a table nor the live log has it, or what is wrong with a file.
  package init(
    _ snapshot: StoreSnapshot, dataset name: String, definitions: DefinitionSet? = nil
  ) throws(StoreError) {
    dataset = name
    let table = snapshot.datasets[name]
    if let table, let delta = table.delta { try add(table, at: delta) }
    try addLiveRows(UncoveredRows(of: name, in: snapshot.store, at: table?.delta, definitions))
    guard version != nil || liveRowCount > 0 else {
      throw .noSuchDataset(name, known: try snapshot.store.datasetNames())
    }
  }

  private mutating func add(_ table: DatasetSnapshot, at delta: Snapshot) throws(StoreError) {
    version = delta.version
    columns = delta.schema.fields.filter { !PartitionColumns.names.contains($0.name) }.map { field in
      Column(name: field.name, type: field.metadata[TableLayout.definedType] ?? "\(field.type)")
    }
    bucketCount = table.buckets.count
    let first = table.buckets.map(\.bucket.days.lowerBound).min()
    if let first, let last = table.buckets.first { days = first...last.bucket.days.upperBound }
    retractionCount = table.retractions.count
    horizonMicros = ReplacementHorizons(delta).newest
    newestSeenMicros = table.derived.newestSeenMicros(in: table.files)
    for file in table.files { try add(file) }
  }

  private mutating func addLiveRows(_ rows: UncoveredRows) throws(StoreError) {
    var (count, newest) = (0, newestSeenMicros)
    try rows.forEachBatch { batch in
      count += batch.rowCount
      if let seen = batch.newestSeenMicros { newest = max(newest ?? .min, seen) }
    }
    (liveRowCount, newestSeenMicros) = (count, newest)
  }

  private mutating func add(_ file: StoreFile) throws(StoreError) {
    let opened = try file.open()
    fileCount += 1
    if opened.bytes.byteCount < Compaction.smallByteCount { smallFileCount += 1 }
    byteCount += opened.bytes.byteCount
    rowCount += opened.file.rowCount
    rowGroupCount += opened.file.rowGroupCount
    for group in opened.file.metadata.rowGroups {
      for (leaf, chunk) in zip(opened.file.schema.leaves, group.columns) { add(chunk, of: leaf) }
    }
    eventTypes.merge(try file.eventTypes(), uniquingKeysWith: +)
  }

  private mutating func add(_ chunk: ColumnChunkMetadata, of leaf: LeafColumn) {
    pageIndexByteCount += (chunk.offsetIndexByteCount ?? 0) + (chunk.columnIndexByteCount ?? 0)
    guard let metadata = chunk.metadata, let place = columns.firstIndex(where: { $0.name == leaf.path[0] }) else {
      return
    }
    bloomFilterByteCount += metadata.bloomFilterByteCount ?? 0
    columns[place].compressedByteCount += metadata.totalCompressedByteCount
    columns[place].uncompressedByteCount += metadata.totalUncompressedByteCount
  }
}

extension DatasetReport {
  package var json: JSONValue {
    [
      "dataset": .string(dataset), "version": version.map { .integer($0) } ?? .null, "rows": .integer(Int64(rowCount)),
      "files": .integer(Int64(fileCount)), "row_groups": .integer(Int64(rowGroupCount)),
      "bytes": .integer(Int64(byteCount)), "bloom_filter_bytes": .integer(Int64(bloomFilterByteCount)),
      "page_index_bytes": .integer(Int64(pageIndexByteCount)), "buckets": .integer(Int64(bucketCount)),
      "first_day": days.map { .string($0.lowerBound.description) } ?? .null,
      "last_day": days.map { .string($0.upperBound.description) } ?? .null,
      "event_types": .object(eventTypes.mapValues { .integer(Int64($0)) }),
      "retractions": .integer(Int64(retractionCount)), "small_files": .integer(Int64(smallFileCount)),
      "live_rows": .integer(Int64(liveRowCount)),
      "newest_seen_at": newestSeenMicros.map { .string(CalendarText.timestamp(micros: $0)) } ?? .null,
      "lag_seconds": lagSeconds.map { .number($0) } ?? .null,
      "replaced_until": horizonMicros.map { .string(CalendarText.timestamp(micros: $0)) } ?? .null,
      "anomalies": .array(anomalies.map(\.json)),
      "columns": .array(
        columns.map { column in
          [
            "name": .string(column.name), "type": .string(column.type),
            "compressed_bytes": .integer(Int64(column.compressedByteCount)),
            "uncompressed_bytes": .integer(Int64(column.uncompressedByteCount)),
          ]
        }),
    ]
  }

  /// How long ago the newest row arrived.
  private var lagSeconds: Double? {
    newestSeenMicros.map { Double(DeltaTable.nowMillis() - $0 / 1_000) / 1_000 }
  }

  /// For people: totals, then a line per column, the largest first.
  package var text: String {
    let types = eventTypes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
    var lines = [
      "\(dataset), \(version.map { "version \($0)" } ?? "no table yet"): \(rowCount) events in \(fileCount) files and \(rowGroupCount) row groups",
      "  \(byteCount) bytes, \(perEvent(byteCount)) per event; bloom filters \(bloomFilterByteCount),"
        + " page indexes \(pageIndexByteCount)",
      "  \(bucketCount) buckets" + (days.map { ", \($0.lowerBound)..\($0.upperBound)" } ?? "")
        + "; \(retractionCount) retractions",
      types.isEmpty ? nil : "  " + types.joined(separator: ", "),
      "  \(smallFileCount) small files; \(liveRowCount) rows in the live log alone",
    ].compactMap(\.self)
    if let newestSeenMicros, let lagSeconds {
      lines.append(
        "  newest row seen at \(CalendarText.timestamp(micros: newestSeenMicros)), \(Int(lagSeconds)) s ago"
          + (horizonMicros.map { "; replaced up to \(CalendarText.timestamp(micros: $0))" } ?? ""))
    }
    lines += anomalies.filter(\.isOpen).map { "  \($0)" }
    let width = columns.map(\.name.count).max() ?? 0
    for column in columns.sorted(by: { $0.compressedByteCount > $1.compressedByteCount }) {
      let name = column.name + String(repeating: " ", count: width - column.name.count)
      lines.append("  \(name)  \(perEvent(column.compressedByteCount)) bytes per event  \(column.type)")
    }
    return lines.joined(separator: "\n")
  }

  private func perEvent(_ byteCount: Int) -> String {
    guard rowCount > 0 else { return "-" }
    let hundredths = Int((Double(byteCount) / Double(rowCount) * 100).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }
}
