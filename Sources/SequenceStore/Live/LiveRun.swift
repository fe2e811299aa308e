import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Frames
import Glibc
import Synchronization

/// Adds a stream of events to a store as it comes: what `seq-index` does without `--replace`.
///
/// Frames go to the live log as they are, once their rows are known to fit the tables, and from there into the tables in
/// the background.
package struct LiveRun {
  package struct Options: Sendable {
    package var log = LiveLog.Options()
    package var roll = LiveRoller.Options()
    /// Where positions and watermarks are written, as frames, once they are durable: a file descriptor.
    package var acknowledgements: Int32?
    /// Whether all of the live log is brought into the tables at the input's end.
    package var settles = false
    /// Something that people should know: a line of text.
    package var report: @Sendable (String) -> Void = { _ in }
    /// The files of the live log.
    package var files: any LiveFiles = SystemLiveFiles()

    package init() {}
  }

  let store: StoreDirectory
  let definitions: DefinitionSet
  let shard: Shard
  let options: Options

  package init(_ store: StoreDirectory, definitions: DefinitionSet, shard: Shard = .first, options: Options) {
    self.store = store
    self.definitions = definitions
    self.shard = shard
    self.options = options
  }

  /// Reads the stream to its end, or until the run is asked to stop; all that came is durable then, whatever is thrown
  /// about the stream.
  package func run(_ stage: StageOptions) throws -> (report: RunReport, rolled: LiveRollCounts) {
    let check = try EventCheck(store, definitions)
    let choice = ShardChoice(shard, of: definitions.shardCount)
    let metrics = stage.metrics.map { LiveMetrics($0, shard: shard) }
    let service = try LiveService(store, definitions, shard, options, metrics, stop: stage.stop)
    let report: RunReport
    do {
      report = try EventInput(stage).forEachFrame(
        { raw, frame in
          try check.check(frame)
          return (bytes: choice.part(of: raw, frame), acknowledgement: frame.acknowledgement)
        },
        { (product: (bytes: Buffer?, acknowledgement: Control?), newest: NewestEvents) in
          guard let bytes = product.bytes else { return }
          metrics?.appending(newest)
          try service.log.append(bytes, acknowledging: product.acknowledgement)
        })
    } catch let cut as InputCutShort where cut.report.wasStopped {
      return (cut.report, try service.close(isComplete: false, settling: false))
    } catch {
      _ = try service.close(isComplete: false, settling: false)
      throw StreamCutShort(reason: error)
    }
    return (report, try service.close(isComplete: true, settling: options.settles))
  }
}

/// The stream could not be read to its end; what came of it is durable.
package struct StreamCutShort: Error, CustomStringConvertible {
  package var reason: any Error

  package var description: String {
    guard reason is InputCutShort else { return "\(reason); what came before is stored" }
    return "the input ended before its end mark: the stage before this one did not finish; what came is stored"
  }
}

/// The live log of a shard, its roller, and the stream of acknowledgements.
final class LiveService {
  let log: LiveLog
  private let roller: LiveRoller
  private let acknowledgements: Acknowledgements?

  /// - Parameter stop: a request that ends waiting for room on a full disk.
  init(
    _ store: StoreDirectory, _ definitions: DefinitionSet, _ shard: Shard, _ options: LiveRun.Options,
    _ metrics: LiveMetrics? = nil, stop: StopRequest? = nil
  ) throws {
    var rolling = options.roll
    if let metrics { rolling.attempted = { metrics.rolled($0, seconds: $1) } }
    let roller = LiveRoller(store, definitions: definitions, shard: shard, options: rolling, files: options.files)
    let acknowledgements = options.acknowledgements.map { Acknowledgements(fileDescriptor: $0) }
    var observers = LiveLog.Observers()
    observers.segmentEnded = { roller.segmentEnded($0) }
    observers.report = options.report
    if let stop { observers.waitsForRoom = { !stop.isMade } }
    if let metrics { observers.synced = { metrics.synced($0) } }
    if let acknowledgements { observers.acknowledge = { try acknowledgements.write($0) } }
    log = try LiveLog(
      LiveDirectory(store, shard), covered: try store.coveredSegment(of: shard), options: options.log,
      observers: observers, files: options.files)
    self.roller = roller
    self.acknowledgements = acknowledgements
    try store.keep(definitions)
    roller.segmentEnded(log.durable.segment - 1)
    roller.start()
  }

  /// Syncs what came, and ends.
  ///
  /// - Parameter isComplete: whether the stream came to its end: then the acknowledgements have one, too.
  func close(isComplete: Bool, settling: Bool) throws -> LiveRollCounts {
    if settling { log.endSegment() }
    let synced = Result { try log.close() }
    let rolled = Result { try roller.close(settling: settling) }
    try synced.get()
    if isComplete { try acknowledgements?.finish() }
    return try rolled.get()
  }
}

/// Tells what is durable: the positions and watermarks as frames.
private final class Acknowledgements: Sendable {
  private let writer: Mutex<FrameWriter?>

  init(fileDescriptor: Int32) {
    writer = Mutex(FrameWriter(fileDescriptor: fileDescriptor, compression: .stored))
  }

  func write(_ controls: [Control]) throws(FrameError) {
    try writer.withLock { writer throws(FrameError) in
      for control in controls { try writer?.write(control) }
    }
  }

  func finish() throws(FrameError) {
    try writer.withLock { writer throws(FrameError) in try writer.take()?.finish() }
  }
}

extension Frame {
  /// What tells its source that rows are safe.
  fileprivate var acknowledgement: Control? {
    switch self {
    case .control(let control):
      switch control {
      case .position, .watermark: control
      case .horizon, .end, .other: nil
      }
    case .data: nil
    }
  }
}
