import Arrow
import Definitions
import Engine
import Glibc
import Parquet
import Synchronization

/// Encodes the buckets' files on threads of its own: each bucket belongs to one thread, whose queue is bounded.
final class BucketWriters: Sendable {
  /// Rows that a bucket is to get.
  struct Work: Sendable {
    var layout: TableLayout
    var bucket: Bucket
    var shard = Shard.first
    var batch: RecordBatch
  }

  fileprivate struct Queue {
    var work: [Work] = []
    var byteCount = 0
    var isClosed = false
    var isCancelled = false
    var failure: StoreError?
    var files: [String: [FinishedFile]] = [:]
    var isDone = false
  }

  /// Bytes that wait for one thread, about.
  private static let queueByteCount = 2 << 20

  private let queues: [Monitor<Queue>]
  private let directory: String
  private let options: ParquetWriterOptions
  private let threads: Mutex<[pthread_t]>

  /// - Parameter directory: where the files are made.
  init(threads: Int, directory: String, options: ParquetWriterOptions) {
    queues = (0..<max(1, threads)).map { _ in Monitor(Queue()) }
    self.directory = directory
    self.options = options
    self.threads = Mutex([])
    let started = queues.map { queue in startThread { [self] in run(queue) } }
    self.threads.withLock { $0 = started }
  }

  /// Waits for room, then hands the rows on.
  /// - Throws: what went wrong with earlier work of that thread.
  func append(_ work: Work) throws(StoreError) {
    let queue = queues[(Int(work.bucket.days.lowerBound.number.magnitude) + work.shard.number) % queues.count]
    let byteCount = work.batch.ownByteCount
    let failure = queue.wait(
      until: { $0.byteCount < Self.queueByteCount || $0.failure != nil },
      then: { state in
        state.work.append(work)
        state.byteCount += byteCount
        return state.failure
      })
    if let failure { throw failure }
  }

  /// Completes all files; by table.
  func finish() throws(StoreError) -> [String: [FinishedFile]] {
    for queue in queues { queue.update { $0.isClosed = true } }
    var files: [String: [FinishedFile]] = [:]
    var failure: StoreError?
    for queue in queues {
      let outcome = queue.wait(until: \.isDone) { ($0.files, $0.failure) }
      files.merge(outcome.0) { $0 + $1 }
      failure = failure ?? outcome.1
    }
    join()
    if let failure {
      for file in files.values.joined() { removeFile(file.temporaryPath) }
      throw failure
    }
    return files
  }

  /// Gives up: all files are removed.
  func cancel() {
    for queue in queues { queue.update { ($0.isCancelled, $0.isClosed) = (true, true) } }
    for queue in queues {
      let files = queue.wait(until: \.isDone) { $0.files }
      for file in files.values.joined() { removeFile(file.temporaryPath) }
    }
    join()
  }

  private func join() {
    let threads = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  private func run(_ queue: Monitor<Queue>) {
    var open = OpenBuckets(directory: directory, options: options)
    var hasFailed = false
    while let work = queue.wait(until: { !$0.work.isEmpty || $0.isClosed }, then: { $0.takeNext() }) {
      if hasFailed { continue }
      do throws(StoreError) {
        try open.append(work)
      } catch {
        hasFailed = true
        queue.update { $0.failure = $0.failure ?? error }
      }
    }
    var files: [String: [FinishedFile]] = [:]
    let isGivenUp = queue.update { $0.isCancelled || $0.failure != nil }
    do throws(StoreError) {
      if isGivenUp { open.discard() } else { files = try open.finish() }
    } catch {
      open.discard()
      queue.update { $0.failure = error }
    }
    queue.update { ($0.files, $0.isDone) = (files, true) }
  }
}

extension BucketWriters.Queue {
  /// The work that has waited longest; nil at the end.
  fileprivate mutating func takeNext() -> BucketWriters.Work? {
    guard !work.isEmpty, !isCancelled else { return nil }
    let next = work.removeFirst()
    byteCount -= next.batch.ownByteCount
    return next
  }
}

/// The files that one thread has open.
private struct OpenBuckets: ~Copyable {
  private struct Key: Hashable {
    var table: String
    var bucket: Bucket
    var shard: Shard
  }

  let directory: String
  let options: ParquetWriterOptions
  private var context = ParquetEncoderContext()
  private var files: [Key: BucketFile] = [:]

  init(directory: String, options: ParquetWriterOptions) {
    self.directory = directory
    self.options = options
  }

  mutating func append(_ work: BucketWriters.Work) throws(StoreError) {
    let key = Key(table: work.layout.table, bucket: work.bucket, shard: work.shard)
    let file: BucketFile
    if let open = files[key] {
      file = open
    } else {
      file = try BucketFile(work.layout, work.bucket, work.shard, in: directory, options: options)
      files[key] = file
    }
    try file.append(work.batch, using: &context)
  }

  mutating func finish() throws(StoreError) -> [String: [FinishedFile]] {
    var finished: [String: [FinishedFile]] = [:]
    for (key, file) in files.sorted(by: { ($0.key.bucket, $0.key.shard) < ($1.key.bucket, $1.key.shard) }) {
      finished[key.table, default: []].append(try file.finish(using: &context))
    }
    files = [:]
    return finished
  }

  mutating func discard() {
    for file in files.values { file.discard() }
    files = [:]
  }
}
