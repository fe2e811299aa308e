import Arrow
import Buffers
import Definitions
import Frames
import Glibc
import SequenceStore
import Synchronization
import TestSupport

/// A live log that is written byte by byte, as its format says.
final class WrittenLog {
  let live: LiveDirectory
  private(set) var segment: UInt64 = 1
  private var byteCount: UInt64 = 0

  init(_ store: StoreDirectory, _ shard: Shard = .first) throws {
    live = LiveDirectory(store, shard)
    _ = try Shell.succeed("mkdir -p \(live.path)", in: "/")
    write([], to: live.segment(segment))
    publish()
  }

  /// Appends frames, and makes them durable.
  func append(_ batches: [RecordBatch], watermark: Int64? = nil, compression: FrameCompression = .stored) {
    let encoder = FrameEncoder(compression: compression)
    for batch in batches { append(bytes: encoder.encode(batch).bytes) }
    if let watermark { append(bytes: encoder.encode(.watermark(watermark)).bytes) }
    publish()
  }

  /// Appends what is not durable until `publish`.
  func append(bytes: Buffer) {
    write((0..<bytes.byteCount).map { bytes.load($0, as: UInt8.self) }, to: live.segment(segment), O_APPEND)
    byteCount += UInt64(bytes.byteCount)
  }

  func publish() {
    let bytes = DurableMarker(segment: segment, byteCount: byteCount).encoded
    write((0..<bytes.byteCount).map { bytes.load($0, as: UInt8.self) }, to: live.durable)
  }

  func endSegment() {
    (segment, byteCount) = (segment + 1, 0)
    write([], to: live.segment(segment))
    publish()
  }

  func remove(_ segment: UInt64) { unsafe unlink(live.segment(segment)) }

  private func write(_ bytes: [UInt8], to path: String, _ flags: Int32 = 0) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | flags, 0o666)
    defer { close(file) }
    let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    precondition(file >= 0 && written == bytes.count, "\(path): cannot be written")
  }
}

/// What a follower tells, from any thread.
final class FollowerEvents: Sendable {
  private let state = Mutex<(reports: [String], gone: Int)>(([], 0))

  var reports: [String] { state.withLock { $0.reports } }
  /// How often segments were gone.
  var goneCount: Int { state.withLock { $0.gone } }

  func handlers(gone: @escaping @Sendable () throws -> Void = {}) -> LiveFollower.Handlers {
    LiveFollower.Handlers(
      dataset: { _ in nil },
      segmentsGone: { [self] in
        state.withLock { $0.gone += 1 }
        try gone()
      }, report: { [self] error in state.withLock { $0.reports.append("\(error)") } })
  }
}
