import Definitions
import DeltaLog
import Engine
import Synchronization

/// A data file of a snapshot. Its footer and indexes are read when they are needed; shared by threads.
final class StoreFile: Sendable {
  let action: AddFile
  let path: String
  /// Nil where another engine put it into no bucket.
  let bucket: Bucket?
  /// Which users it may have; nil: any.
  let part: ShardPart?
  let statistics: FileStatistics?
  /// When its events happened, as far as its statistics say.
  let times: ClosedRange<Int64>?
  /// Tells files apart.
  let id = StoreFile.nextID.wrappingAdd(1, ordering: .relaxed).newValue
  private static let nextID = Atomic<UInt32>(0)
  private let indexes: FileIndexCache
  private let source = Mutex<DataFileBytes?>(nil)
  private let opened = CacheSlot<OpenedFile>()

  /// - Parameter indexes: what keeps the footer and the indexes, and the file open.
  init(_ action: AddFile, path: String, indexes: FileIndexCache = .unlimited) {
    self.action = action
    self.path = path
    self.indexes = indexes
    bucket = action.bucket
    part = PartitionColumns.part(of: action)
    statistics = action.statistics.flatMap { FileStatistics(parsing: $0) }
    times = statistics?.timestampRange(SystemColumns.ts)
  }

  deinit { indexes.indexes.forget(opened) }

  /// No event of it is earlier, in microseconds.
  var startMicros: Int64 { times?.lowerBound ?? bucket?.days.lowerBound.startMicros ?? .min }

  /// Whether it may have rows of a user, by the shard that it says it is: users may be dealt to another number by now.
  func mayHold(_ user: UserProbe) -> Bool { user.mayBe(in: part) }

  /// The file, opened by the first who asks.
  func open() throws(StoreError) -> OpenedFile {
    if let file = opened.value { return file }
    do {
      let file = try OpenedFile(try bytes(), id: id, indexes: indexes.indexes)
      return indexes.indexes.keep(file, size: file.byteCount, in: opened)
    } catch {
      throw StoreError(error, at: path)
    }
  }

  /// The file's bytes, which outlive its indexes: else a vacuum could take them away in between.
  private func bytes() throws(SystemError) -> DataFileBytes {
    try source.withLock { source throws(SystemError) in
      if let source { return source }
      let bytes = try DataFileBytes(path, indexes.files)
      source = bytes
      return bytes
    }
  }
}
