import Arrow
import DeltaLog
import JSONText
import Parquet
import TestSupport
import Testing

/// Tables that other engines wrote, against what other engines read from them.
@Suite struct ConformanceTests {
  static let root = SharedData.path("conformance/delta")

  /// Every table of the suite, by its path.
  static let tables: [String] = {
    guard let root else { return [] }
    return ["golden", "kernel", "delta-rs"].flatMap { tables(in: root, $0) }
  }()

  private static func tables(in root: String, _ path: String) -> [String] {
    let names = SharedData.names(in: "\(root)/\(path)")
    if names.contains("_delta_log") { return [path] }
    return names.flatMap { tables(in: root, "\(path)/\($0)") }
  }

  /// Tables that need more than reader version 1 and the features that change nothing for a reader.
  static let refused: [String: DeltaError.Reason] = {
    var refused: [String: DeltaError.Reason] = [
      "golden/deltalog-invalid-protocol-version/delta": .unsupportedReaderVersion(99),
      "golden/deltalog-state-reconstruction-from-checkpoint-missing-protocol/delta": .missingProtocol,
      "golden/deltalog-state-reconstruction-without-protocol/delta": .missingProtocol,
      "golden/data-reader-absolute-paths-escaped-chars/delta": .missingMetadata,
      "golden/deltalog-commit-info/delta": .missingSchema, "kernel/crc-malformed": .notATable,
      "delta-rs/spark-shredded-variant-preview-delta": .unsupportedReaderFeature("variantShredding-preview"),
    ]
    let byFeature: [String: [String]] = [
      "columnMapping": [
        "golden/data-reader-timestamp_ntz-id-mode/delta", "golden/data-reader-timestamp_ntz-name-mode/delta",
        "golden/table-with-columnmapping-mode-id/delta", "golden/table-with-columnmapping-mode-name/delta",
        "kernel/cdf-column-mapping-name-mode", "kernel/cdf-column-mapping-name-mode-3-7",
        "kernel/stats-writing-all-types/delta", "delta-rs/table_with_column_mapping",
      ],
      "deletionVectors": [
        "kernel/cdf-table-with-dv", "kernel/table-with-dv-small", "kernel/v1-multi-part-struct-stats-only",
        "kernel/with-short-dv", "delta-rs/table-with-domain-metadata", "delta-rs/table-with-dv-small",
      ],
      "variantType-preview": ["kernel/unshredded-variant", "delta-rs/spark-variant-checkpoint"],
      "v2Checkpoint": [
        "golden/v2-checkpoint-json/delta", "golden/v2-checkpoint-parquet/delta", "delta-rs/checkpoint-v2-table",
        "kernel/v2-checkpoints-json-with-last-checkpoint", "kernel/v2-checkpoints-json-without-sidecars",
        "kernel/v2-checkpoints-parquet-with-last-checkpoint", "kernel/v2-checkpoints-parquet-without-sidecars",
        "kernel/v2-classic-checkpoint-json", "kernel/v2-classic-checkpoint-parquet",
      ],
    ]
    for (feature, tables) in byFeature {
      for table in tables { refused[table] = .unsupportedReaderFeature(feature) }
    }
    return refused
  }()

  @Test(arguments: tables) func aTableIsReadOrRefusedByName(_ name: String) throws {
    let table = DeltaTable(path: "\(try #require(Self.root))/\(name)")
    if let reason = Self.refused[name] {
      let error = #expect(throws: DeltaError.self) { try table.snapshot() }
      #expect(error?.reason == reason)
      return
    }
    let snapshot = try table.snapshot()
    guard let expected = try expectation(of: name) else { return }
    try compareState(snapshot, expected, name)
    try compareVersions(table, expected, name)
    try compareRows(table, snapshot, expected, name)
  }

  @Test func aDirectoryWithoutLogIsRefused() throws {
    guard let root = Self.root else { return }
    let error = #expect(throws: DeltaError.self) {
      try DeltaTable(path: "\(root)/golden/no-delta-log-folder/delta").snapshot()
    }
    #expect(error?.reason == .notATable)
  }

  /// Tables whose rows also lie beside them as plain Parquet.
  static let withParquet = SharedData.names(in: (root ?? "") + "/golden").filter { name in
    SharedData.exists("\(root ?? "")/golden/\(name)/expected") && refused["golden/\(name)/delta"] == nil
  }

  @Test(arguments: withParquet) func aTableHasTheRowsOfTheParquetBesideIt(_ name: String) throws {
    let folder = "\(try #require(Self.root))/golden/\(name)"
    let table = DeltaTable(path: "\(folder)/delta")
    let snapshot = try table.snapshot()
    var actual: [String] = []
    for batch in try table.batches(of: snapshot) { actual += RowText.rows(of: batch).map(\.text) }
    var expected: [String] = []
    for file in SharedData.names(in: "\(folder)/expected") where file.hasSuffix(".parquet") && !file.hasPrefix(".") {
      let reader = try ParquetReader(MappedFile.open("\(folder)/expected/\(file)"))
      try reader.forEachBatch { batch in
        let columns = try zip(snapshot.schema.fields, batch.columns).map {
          try $1.conformed(to: $0.type, column: $0.name)
        }
        expected += RowText.rows(of: RecordBatch(snapshot.schema, columns, rowCount: batch.rowCount)).map(\.text)
      }
    }
    // Its as_timestamp was written in another time zone, as upstream says.
    guard name != "data-reader-partition-values" else { return #expect(actual.count == expected.count) }
    #expect(actual.sorted() == expected.sorted())
  }

  private func expectation(of name: String) throws -> JSONValue? {
    let file = name.split(separator: "/").joined(separator: "__")
    guard let path = SharedData.path("conformance/delta/expected.deltalake/\(file).json"),
      let bytes = SharedData.contents(of: path)
    else { return nil }
    let value = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    return value["version"]?.integer == nil ? nil : value
  }

  private func compareState(_ snapshot: Snapshot, _ expected: JSONValue, _ name: String) throws {
    #expect(snapshot.version == expected["version"]?.integer)
    #expect(Int64(snapshot.tableProtocol.minReaderVersion) == expected["min_reader_version"]?.integer)
    #expect(snapshot.metadata.partitionColumns == expected["partition_columns"]?.array?.compactMap(\.string))
    #expect(try JSONValue(parsing: snapshot.metadata.schemaString) == expected["schema"])
    // The other engine takes `file:///a` and `/a` for two files.
    guard !name.contains("canonicalized-paths") else { return #expect(snapshot.files.isEmpty) }
    let files = snapshot.files.map { PathEncoding.decode($0.path) }.sorted()
    #expect(files == expected["active_files"]?.array?.compactMap(\.string).sorted())
  }

  private func compareVersions(_ table: DeltaTable, _ expected: JSONValue, _ name: String) throws {
    guard !name.contains("canonicalized-paths") else { return }
    for (version, count) in expected["active_file_count_by_version"]?.object ?? [:] {
      guard let number = Int64(version), let count = count.integer else { continue }
      #expect(try table.snapshot(at: number).files.count == Int(count), "version \(version)")
    }
  }

  private func compareRows(_ table: DeltaTable, _ snapshot: Snapshot, _ expected: JSONValue, _ name: String) throws {
    guard expected["status"]?.string == "ok", let count = expected["num_rows"]?.integer else { return }
    // The other engine wraps around where a date of the year 9999 does not fit nanoseconds.
    guard name != "delta-rs/table_with_edge_timestamps" else { return }
    let rows = try table.batches(of: snapshot).flatMap { RowText.rows(of: $0) }
    #expect(rows.count == count)
    let first = (expected["rows_first_sorted"]?.array ?? []).map { RowText.normalized($0).text }.sorted()
    let texts = rows.map(\.text)
    if first.count == count {
      #expect(texts.sorted() == first)
    } else {
      var left = Dictionary(texts.map { ($0, 1) }, uniquingKeysWith: +)
      for text in first {
        left[text, default: 0] -= 1
        #expect(left[text]! >= 0, "\(text)")
      }
    }
  }
}
