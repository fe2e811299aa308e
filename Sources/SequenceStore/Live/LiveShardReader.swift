import Buffers
import Engine
import Frames
import Glibc

/// Reads the live log of one shard as far as it is durable.
struct LiveShardReader {
  private let live: LiveDirectory
  private var durable: OpenFile?
  private var isMarkerWatched = false
  /// How far was read; nil before the writer has begun.
  private var position: DurableMarker?
  private var segment: OpenFile?

  init(_ live: LiveDirectory) { self.live = live }

  /// Has the system wake `watcher` when the marker moves.
  /// - Returns: false when it does not; true also as long as there is no marker.
  mutating func watchMarker(_ watcher: FileWatcher) throws(StoreError) -> Bool {
    guard let marker = try openMarker() else { return true }
    if !isMarkerWatched { isMarkerWatched = watcher.watch(marker) != nil }
    return isMarkerWatched
  }

  private mutating func openMarker() throws(StoreError) -> OpenFile? {
    if let durable { return durable }
    do { durable = try OpenFile(reading: live.durable) } catch {
      if error.code != ENOENT { throw .system(error) }
    }
    return durable
  }

  private mutating func marker() throws(StoreError) -> DurableMarker? {
    guard let file = try openMarker() else { return nil }
    // The writer overwrites the 24 bytes in one call: a torn read is rare, and the next one is whole.
    for _ in 0..<1_000 {
      let bytes: Buffer
      do { bytes = try file.bytes(at: 0, byteCount: DurableMarker.encodedByteCount) } catch { throw .system(error) }
      if bytes.isEmpty { return nil }
      if let marker = DurableMarker(bytes) { return marker }
    }
    throw .damaged(path: live.durable, what: "its check fails")
  }

  // MARK: Segments

  /// Takes what is durable and was not read yet.
  mutating func read(into index: LiveIndex, _ handlers: LiveFollower.Handlers) throws {
    guard let end = try marker(), end != position else { return }
    var here = try position ?? DurableMarker(segment: live.segments().first ?? end.segment, byteCount: 0)
    while here < end {
      guard let file = try open(&here, upTo: end, handlers) else { break }
      let available = here.segment < end.segment ? UInt64(file.regularSize ?? 0) : end.byteCount
      let start = here.byteCount
      here.byteCount = max(available, start)
      position = here
      try read(file, Int(clamping: start)..<Int(clamping: here.byteCount), here.segment, into: index, handlers)
      guard here.segment < end.segment else { break }
      here = DurableMarker(segment: here.segment + 1, byteCount: 0)
      segment = nil
      position = here
    }
  }

  /// The file of the segment at `here`, or of the next that is there, to which `here` then moves.
  private mutating func open(
    _ here: inout DurableMarker, upTo end: DurableMarker, _ handlers: LiveFollower.Handlers
  ) throws -> OpenFile? {
    if let segment { return segment }
    var isGone = false
    while true {
      do {
        segment = try OpenFile(reading: live.segment(here.segment))
        break
      } catch {
        guard error.code == ENOENT else { throw error }
        guard let next = try live.segments().first(where: { $0 > here.segment }), next <= end.segment else { break }
        here = DurableMarker(segment: next, byteCount: 0)
        isGone = true
      }
    }
    if isGone { try handlers.segmentsGone() }
    return segment
  }

  /// After a start a gibibyte may wait, which is mapped instead of being read beside what is decoded of it.
  private static func bytes(of file: OpenFile, _ range: Range<Int>) throws(SystemError) -> Buffer {
    guard range.count > mappedByteCount else { return try file.bytes(at: range.lowerBound, byteCount: range.count) }
    do {
      let whole = try Buffer(mapping: "/proc/self/fd/\(file.descriptor)")
      return whole.slice(range.clamped(to: 0..<whole.byteCount))
    } catch {
      throw SystemError("read", file.path, code: error.code)
    }
  }

  private static let mappedByteCount = 64 << 20

  private func read(
    _ file: OpenFile, _ range: Range<Int>, _ number: UInt64, into index: LiveIndex, _ handlers: LiveFollower.Handlers
  ) throws {
    guard !range.isEmpty else { return }
    let bytes = try Self.bytes(of: file, range)
    var frames = SegmentFrames(bytes, path: file.path, byteOffset: range.lowerBound)
    let id = LiveSegmentID(live.shard, number)
    while let raw = try frames.next() {
      do {
        switch try raw.decode() {
        case .data(_, let batches):
          for batch in batches where batch.rowCount > 0 {
            index.add(try LiveBatch(batch, dataset: handlers.dataset), of: id)
          }
        case .control(.watermark(let micros)): index.note(watermark: micros, of: live.shard)
        case .control: break
        }
      } catch let error as FrameError {
        // The frame is whole, so that those after it can be read; its rows are in the log for whoever mends it.
        handlers.report(frames.failure(error))
      } catch let error as StoreError {
        handlers.report(error)
      }
    }
  }
}
