import Definitions
import DeltaLog
import Engine
import Synchronization

/// What a live log and its roller tell about themselves, beside the stage that feeds them.
final class LiveMetrics: Sendable {
  /// Bounds of the buckets of freshness and of syncs, in seconds.
  private static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

  private struct State {
    /// The newest events of frames that are not yet durable, by the frame's number.
    var pending: [(frame: Int, newest: NewestEvents)] = []
    var appendedCount = 0
    var syncedCount = 0
    var byteCount = 0
    var durable: DurableMarker?
    var newest = NewestEvents()
    var freshness = Histogram(bounds: LiveMetrics.bounds)
    var syncs = Histogram(bounds: LiveMetrics.bounds)
    var rolls = 0
    var rollFailures = 0
    var rollSeconds = 0.0
    var rowsRolled: [String: Int] = [:]
    var rowsStale = 0
    var lastRollSeconds: Double
  }

  private let shard: Shard
  private let state: Mutex<State>

  init(_ stage: StageMetrics, shard: Shard) {
    self.shard = shard
    state = Mutex(State(lastRollSeconds: Self.nowSeconds))
    stage.include { [self] in write(to: &$0) }
  }

  private static var nowSeconds: Double { Double(DeltaTable.nowMillis()) / 1e3 }

  // MARK: What happens

  /// A frame is about to be appended to the log.
  func appending(_ newest: NewestEvents) {
    state.withLock { state in
      state.appendedCount += 1
      if !newest.isEmpty { state.pending.append((state.appendedCount, newest)) }
    }
  }

  func synced(_ sync: LiveSync) {
    let now = Self.nowSeconds
    state.withLock { state in
      state.syncs.observe(sync.seconds)
      state.syncedCount += sync.frameCount
      state.byteCount += sync.byteCount
      state.durable = sync.durable
      let count = state.pending.firstIndex { $0.frame > state.syncedCount } ?? state.pending.count
      for (_, newest) in state.pending[..<count] {
        state.newest.add(newest)
        for times in newest.eventTypes.values { state.freshness.observe(max(0, now - Double(times.seenAt) / 1e6)) }
      }
      state.pending.removeFirst(count)
    }
  }

  func rolled(_ outcome: Result<LiveRollCounts, any Error>, seconds: Double) {
    state.withLock { state in
      guard case .success(let counts) = outcome else {
        state.rollFailures += 1
        return
      }
      state.rolls += 1
      state.rollSeconds += seconds
      state.lastRollSeconds = Self.nowSeconds
      state.rowsStale += counts.staleRows
      for (dataset, counts) in counts.datasets { state.rowsRolled[dataset, default: 0] += counts.rows }
    }
  }

  // MARK: What is told

  private func write(to text: inout PrometheusText) {
    let state = state.withLock { $0 }
    addLog(state, to: &text)
    addRolls(state, to: &text)
  }

  private func addLog(_ state: State, to text: inout PrometheusText) {
    if let durable = state.durable {
      text.add(
        "seqline_index_segment", .gauge, "The open segment of the live log.", by: "shard", ["\(shard)": durable.segment]
      )
      text.add(
        "seqline_index_segment_bytes", .gauge, "Bytes of the open segment, all of them durable.", by: "shard",
        ["\(shard)": durable.byteCount])
    }
    text.add(
      "seqline_index_durable_bytes_total", .counter, "Bytes that became durable in the live log.", state.byteCount)
    text.add("seqline_index_durable_frames_total", .counter, "Frames that became durable.", state.syncedCount)
    text.add(
      "seqline_index_waiting_frames", .gauge, "Frames that wait to become durable.",
      state.appendedCount - state.syncedCount)
    text.add("seqline_index_sync_seconds", "Time to write and sync a group of frames.", [([], state.syncs)])
    text.add(
      "seqline_index_freshness_seconds",
      "Time from the arrival of the newest event of each type and frame until it was durable, and so visible.",
      [([], state.freshness)])
    text.add(
      "seqline_index_durable_arrival_timestamp_seconds", .gauge,
      "When the newest durable event arrived, since 1970.", by: "event_type",
      state.newest.eventTypes.mapValues { Double($0.seenAt) / 1e6 })
  }

  private func addRolls(_ state: State, to text: inout PrometheusText) {
    text.add("seqline_index_rolls_total", .counter, "Rolls of the live log into the tables.", state.rolls)
    text.add(
      "seqline_index_roll_failures_total", .counter, "Rolls that failed, and are tried again.", state.rollFailures)
    text.add("seqline_index_roll_seconds_total", .counter, "Time of the rolls that went well.", state.rollSeconds)
    text.add(
      "seqline_index_rolled_rows_total", .counter, "Rows that rolls brought into the tables.", by: "dataset",
      state.rowsRolled)
    text.add(
      "seqline_index_stale_rows_total", .counter,
      "Rows left out of rolls, as a batch run had seen them or their absence.",
      state.rowsStale)
    text.add(
      "seqline_index_since_roll_seconds", .gauge, "Time since the last roll that went well, or the start.",
      Self.nowSeconds - state.lastRollSeconds)
  }
}
