import Definitions
import DeltaLog

/// Takes events out of the tables once their types' `retention` is over: what `seq-store retain` does.
///
/// An event goes with its bucket: when the last moment of the day, or of the month that the day was merged into, is
/// older than the type's retention. Files that hold nothing else are taken out whole; others are rewritten. A type that
/// the definitions do not have stays as long as the longest of its dataset.
package struct Retention {
  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let nowMicros: Int64
  private var files: StoreFileOptions

  private static let roundLimit = 16

  package init(
    _ store: StoreDirectory, definitions: DefinitionSet, nowMicros: Int64 = DeltaTable.nowMillis() * 1_000,
    files: StoreFileOptions = StoreFileOptions()
  ) {
    self.store = store
    self.definitions = definitions
    self.nowMicros = nowMicros
    self.files = files
    self.files.shardCount = definitions.shardCount
  }

  /// Lets a dataset's expired events go, then its retractions of those days, calling `report` after each commit.
  package func run(_ dataset: String, _ report: (UpkeepAction) -> Void) throws(StoreError) {
    let eventTypes = definitions.eventTypes(dataset: dataset)
    guard !eventTypes.isEmpty else { return }
    for name in ["datasets/\(dataset)", "retractions/\(dataset)"] {
      var isOver = false
      for _ in 0..<Self.roundLimit where !isOver {
        guard let table = try TableRewrite(store, dataset: dataset, table: name, files) else { break }
        isOver = try apply(eventTypes, to: table, report)
      }
    }
  }

  /// Answers false when others' commits came between.
  private func apply(
    _ eventTypes: [EventTypeDefinition], to table: TableRewrite, _ report: (UpkeepAction) -> Void
  ) throws(StoreError) -> Bool {
    var whole: [StoreFile] = []
    var partial: [(file: StoreFile, bucket: Bucket, expired: Set<String>)] = []
    for file in table.files {
      guard let bucket = file.bucket else { continue }
      let expired = Set(eventTypes.filter { isExpired($0, in: bucket) }.map(\.name))
      if expired.isEmpty { continue }
      let held = try expired.count == eventTypes.count ? expired : heldTypes(file)
      if held.isSubset(of: expired) {
        whole.append(file)
      } else if !held.isDisjoint(with: expired) {
        partial.append((file, bucket, expired))
      }
    }
    var isOver = true
    if !whole.isEmpty {
      if let action = try table.remove(whole, as: .retain) { report(action) } else { isOver = false }
    }
    for (file, bucket, expired) in partial {
      let action = try table.merge([file], into: bucket, as: .retain) { $0.rows(withoutEventTypes: expired) }
      if let action { report(action) } else { isOver = false }
    }
    return isOver
  }

  private func heldTypes(_ file: StoreFile) throws(StoreError) -> Set<String> {
    if let only = file.onlyEventType { return [only] }
    return Set(try file.eventTypes().keys)
  }

  private func isExpired(_ eventType: EventTypeDefinition, in bucket: Bucket) -> Bool {
    guard eventType.retentionMicros > 0 else { return false }
    let (limit, isOverflow) = nowMicros.subtractingReportingOverflow(eventType.retentionMicros)
    return !isOverflow && bucket.endMicros <= limit
  }
}
