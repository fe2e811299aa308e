import Arrow
import ArrowKernels
import Definitions
import DeltaLog
import Engine
import Frames

/// The durable rows of the live log that a dataset's table does not cover.
struct UncoveredRows {
  private let store: StoreDirectory
  private let dataset: String
  private let definitions: DefinitionSet?
  private let table: Snapshot?

  /// - Parameters:
  ///   - table: nil where the dataset has none.
  ///   - definitions: that say which dataset an event type belongs to, for batches that do not.
  init(of dataset: String, in store: StoreDirectory, at table: Snapshot?, _ definitions: DefinitionSet?) {
    self.store = store
    self.dataset = dataset
    self.definitions = definitions
    self.table = table
  }

  /// Calls `body` with the rows, in the order of their arrival in each shard; users are plain.
  func forEachBatch(_ body: (RecordBatch) -> Void) throws(StoreError) {
    for shard in try store.liveShards() {
      let live = LiveDirectory(store, shard)
      guard let durable = try live.durableMarker() else { continue }
      let covered = table?.coveredSegment(of: shard) ?? 0
      for segment in try live.segments() where segment > covered && segment <= durable.segment {
        let byteCount = segment == durable.segment ? durable.byteCount : nil
        guard var frames = try SegmentFrames.open(segment, of: live, byteCount: byteCount) else { continue }
        while let frame = try frames.next() {
          for batch in try Self.batches(of: frame, frames) where isOwn(batch) { body(batch.withPlainUsers) }
        }
      }
    }
  }

  private static func batches(
    of frame: RawFrame, _ segment: borrowing SegmentFrames
  ) throws(StoreError) -> [RecordBatch] {
    do throws(FrameError) {
      guard case .data(_, let batches) = try frame.decode() else { return [] }
      return batches
    } catch { throw segment.failure(error) }
  }

  private func isOwn(_ batch: RecordBatch) -> Bool {
    if let named = batch.schema.metadata[MetadataKey.dataset] { return named == dataset }
    guard let eventType = batch.schema.metadata[MetadataKey.eventType] else { return false }
    return definitions?.eventType(eventType)?.dataset == dataset
  }
}

extension RecordBatch {
  fileprivate var withPlainUsers: RecordBatch {
    guard let index = schema.index(of: SystemColumns.user), case .dictionary = columns[index].storage else {
      return self
    }
    var (schema, columns) = (schema, columns)
    columns[index] = columns[index].decoded()
    schema.fields[index].type = columns[index].type
    return RecordBatch(schema, columns, rowCount: rowCount)
  }
}
