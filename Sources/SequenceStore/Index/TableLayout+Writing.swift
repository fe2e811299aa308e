import Arrow
import DeltaLog
import JSONText

extension TableLayout {
  func table(in store: StoreDirectory) -> DeltaTable { DeltaTable(path: "\(store.path)/\(table)") }

  func hasTable(in store: StoreDirectory) throws(StoreError) -> Bool {
    do { return try table(in: store).exists() } catch { throw .delta(error) }
  }

  /// Makes the table if it is not there.
  func makeTable(in store: StoreDirectory) throws(StoreError) {
    guard try !hasTable(in: store) else { return }
    let table = table(in: store)
    try StoreDirectory.make(table.path)
    do { _ = try table.create(try metadata()) } catch { throw .delta(error) }
  }

  /// The metadata of a table at `snapshot` with the columns that it lacks.
  func metadata(of snapshot: Snapshot) throws(StoreError) -> TableMetadata {
    let additions = try additions(to: snapshot)
    var metadata = snapshot.metadata
    guard derived.kept(by: snapshot) == derived else {
      throw .delta(DeltaError(.conflict(.metadataChanged), place: table))
    }
    metadata.configuration.merge(derived.configuration) { _, new in new }
    guard !additions.isEmpty else { return metadata }
    do {
      metadata.schemaString = try DeltaSchema.adding(additions, to: metadata.schemaString)
    } catch { throw .delta(error) }
    return metadata
  }

  /// For commitInfo.
  static func operationParameters(_ parameters: [String: String]) -> [String: JSONValue] {
    let partition = JSONValue.array(PartitionColumns.names.map { .string($0) }).text
    return ["partitionBy": .string(partition)].merging(parameters.mapValues { .string($0) }) { $1 }
  }
}
