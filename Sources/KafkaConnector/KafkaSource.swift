import Buffers
import CRdKafka
import Engine
import Frames
import Glibc
import Synchronization

/// Reads a topic's messages as lines of text, with their positions.
///
/// Positions of a group are committed once the output of all before them was written. A partition that goes to another
/// member is given back after that, so that nothing is read twice unless a member dies. With a store's positions these
/// alone decide where to begin.
package final class KafkaSource: StageSource {
  /// How far the store has the topic, read anew whenever partitions come.
  package typealias Positions = () throws -> SourcePositionLookup
  /// What to tell people: brokers that are gone, offsets that are.
  package typealias Note = (String) -> Void

  private let settings: KafkaSettings
  private let envelope: KafkaEnvelope
  private let positions: Positions?
  private let note: Note
  private let callbacks = KafkaCallbacks()
  private let handle: KafkaHandle
  private let stopping = Stopping()
  private var partitions: [Int32: Partition] = [:]
  /// Partitions to give back once all that was read of them is written.
  private var leaving: [Int32] = []
  private var wasAssigned = false
  /// Partitions that were read before: they go on where the group is.
  private var begun: Set<Int32> = []
  /// The topic's when reading began: all that is in others came afterwards.
  private var present: Set<Int32> = []
  private var listingTime = Clock.now
  private var schedule = PositionSchedule()
  private var isDry = false
  private let start = Clock.now
  private var lastNotes: [String: Double] = [:]
  /// Positions that were handed out and are not yet written.
  private let unwritten = Monitor(0)

  private struct Partition {
    /// The next message's; nil until one came.
    var offset: Int64?
    /// Where to end; nil: nowhere yet.
    var end: Int64?

    var isComplete: Bool { offset.flatMap { offset in end.map { offset >= $0 } } ?? false }
  }

  private static let blockByteCount = 8 << 20
  private static let blockMessageCount = 64 << 10
  /// How long brokers may be out of reach before the first partition came, in seconds.
  private static let patience = 30.0

  /// - Parameter envelope: which facts of a message are wanted beside its payload.
  package init(
    _ settings: KafkaSettings, envelope: KafkaEnvelope, positions: Positions? = nil, note: @escaping Note = { _ in }
  ) throws {
    self.settings = settings
    self.envelope = envelope
    self.positions = positions
    self.note = note
    handle = try KafkaHandle(settings, callbacks: callbacks)
    if settings.group != nil {
      try handle.subscribe()
    } else {
      try begin(try topicPartitions())
    }
  }

  /// Makes `next` hand out the last positions and end.
  package var stop: (@Sendable () -> Void)? { { [stopping] in stopping.stop() } }
  package var wasStopped: Bool { stopping.isStopped }

  private final class Stopping: Sendable {
    private let flag = Atomic(false)
    var isStopped: Bool { flag.load(ordering: .acquiring) }
    func stop() { flag.store(true, ordering: .releasing) }
  }

  private func topicPartitions() throws -> [Int32] {
    do {
      return try handle.partitions(milliseconds: Int32(Self.patience * 1e3))
    } catch {
      _ = handle.poll(milliseconds: 0)
      guard let last = callbacks.takeFailures().last(where: { !$0.reason.isEmpty }) else { throw error }
      throw KafkaError(error.place, "\(error.reason) (\(last.reason))", remedy: error.remedy)
    }
  }

  // MARK: Reading

  package func next() throws -> InputUnit? {
    while true {
      let isEnding = stopping.isStopped || isComplete
      let moment: PositionSchedule.Moment = isEnding || !leaving.isEmpty ? .end : isDry ? .dry : .busy
      if let position = schedule.next(Clock.now, moment) {
        unwritten.update { $0 += 1 }
        return .position(position)
      }
      if isEnding { return nil }
      if !leaving.isEmpty { try leave() }
      let block = try read()
      isDry = block == nil
      try act()
      if let block { return .messages(block) }
    }
  }

  /// Messages that are there, waiting for the first; nil when none came for a while.
  private func read() throws -> MessageBlock? {
    var block = BufferBuilder()
    var messages: [MessageBlock.Message] = []
    let wait = schedule.due.map { max(0, min(0.1, $0 - Clock.now)) } ?? 0.1
    var timeout = Int32((wait * 1e3).rounded(.up))
    while messages.count < Self.blockMessageCount, block.byteCount < Self.blockByteCount,
      let message = handle.poll(milliseconds: timeout)
    {
      timeout = 0
      try take(message, &block, &messages)
    }
    let now = Clock.now
    for partition in Set(messages.map(\.partition)) { notePosition(partition, now) }
    if messages.isEmpty { return nil }
    return MessageBlock(source: settings.sourceName, bytes: block.finish(), messages: messages)
  }

  private func take(
    _ message: borrowing KafkaMessage, _ block: inout BufferBuilder, _ messages: inout [MessageBlock.Message]
  ) throws {
    let partition = message.partition
    switch message.error {
    case RD_KAFKA_RESP_ERR_NO_ERROR: break
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: return reachEnd(partition, message.offset)
    default: return try fail(message.error, message.errorText)
    }
    guard let known = partitions[partition], message.offset < known.end ?? .max else {
      if partitions[partition] != nil { reachEnd(partition, message.offset) }
      return
    }
    partitions[partition]!.offset = message.offset + 1
    let start = block.byteCount
    var added = 0
    if let payload = unsafe message.payload {
      added = unsafe KafkaEnvelope.append(payload, member: envelope.isEmpty ? nil : envelope.text(message), to: &block)
    }
    messages.append(
      MessageBlock.Message(start: start, partition: partition, offset: message.offset, addedByteCount: added))
  }

  /// Nothing that is wanted comes before `offset` any more.
  private func reachEnd(_ partition: Int32, _ offset: Int64) {
    guard let known = partitions[partition] else { return }
    let reached = min(offset, known.end ?? offset)
    if known.offset.map({ reached > $0 }) ?? true {
      partitions[partition]!.offset = reached
      notePosition(partition, Clock.now)
    }
    if partitions[partition]!.isComplete { handle.pause(partition) }
  }

  private func notePosition(_ partition: Int32, _ now: Double) {
    guard let offset = partitions[partition]?.offset else { return }
    schedule.note(.position(source: settings.sourceName, partition: Int64(partition), offset: offset), now: now)
  }

  package func wrote(_ position: Control) {
    if case .position(_, let partition?, let offset) = position, settings.group != nil, !settings.resumes {
      handle.store(offset, Int32(partition))
    }
    unwritten.update { $0 -= 1 }
  }

  /// Commits what is not yet committed. Call it once the whole output was written.
  package func close() {
    if settings.group != nil, !settings.resumes { handle.commit() }
  }

  // MARK: Where to end

  /// Whether all that was asked for was read.
  private var isComplete: Bool {
    settings.end != nil && wasAssigned && leaving.isEmpty && partitions.values.allSatisfy(\.isComplete)
  }

  /// Finds out where to end with partitions of which that is not known, once it can be.
  private func findEnds() throws {
    let unknown = partitions.filter { $0.value.end == nil }.map(\.key)
    guard let end = settings.end, !unknown.isEmpty else { return }
    var byTime: [Int32: Int64?] = [:]
    if case .time(let millis) = end {
      guard millis <= Self.nowMillis else { return }
      byTime = try handle.offsets(atMillis: millis, unknown)
    }
    for partition in unknown {
      partitions[partition]!.end = try (byTime[partition] ?? nil) ?? handle.bounds(partition).upperBound
    }
  }

  private static var nowMillis: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  // MARK: Partitions that come and go

  /// Acts on what librdkafka called back.
  private func act() throws {
    for failure in callbacks.takeFailures() { try fail(failure.code, failure.reason) }
    for event in callbacks.takeEvents() {
      switch event {
      case .assigned(let partitions): try begin(partitions)
      case .revoked(let partitions): leaving += partitions
      }
    }
    try findAddedPartitions()
    try findEnds()
  }

  /// Finds partitions that were added to the topic. In a group librdkafka does, and deals them to the members.
  private func findAddedPartitions() throws {
    guard settings.group == nil, settings.end != .now, Clock.now - listingTime >= settings.refreshSeconds else {
      return
    }
    listingTime = Clock.now
    // Brokers that are out of reach are told of otherwise.
    guard let found = try? handle.partitions(milliseconds: 1_000) else { return }
    let added = found.filter { !begun.contains($0) }
    if !added.isEmpty { try begin(added) }
  }

  private func begin(_ assigned: [Int32]) throws {
    if !wasAssigned { present = Set(try settings.group == nil ? assigned : topicPartitions()) }
    let offsets = try startOffsets(assigned)
    // Without a group the list replaces the one before it.
    let others = settings.group == nil ? partitions.mapValues { $0.offset ?? Int64(RD_KAFKA_OFFSET_BEGINNING) } : [:]
    try handle.assign(others.merging(offsets) { $1 })
    for (partition, offset) in offsets {
      partitions[partition] = Partition(offset: offset < 0 ? nil : offset, end: nil)
      if settings.resumes { notePosition(partition, Clock.now) }
    }
    begun.formUnion(assigned)
    wasAssigned = true
    try findEnds()
  }

  private func startOffsets(_ assigned: [Int32]) throws -> [Int32: Int64] {
    let known = try positions?()
    var offsets: [Int32: Int64] = [:]
    var unknown: [Int32] = []
    for partition in assigned {
      if let offset = known?[settings.sourceName, Int64(partition)] {
        offsets[partition] = try kept(offset, partition)
      } else {
        unknown.append(partition)
      }
    }
    try offsets.merge(firstOffsets(unknown)) { $1 }
    return offsets
  }

  /// The store's offset, or the first one that the broker still has.
  private func kept(_ offset: Int64, _ partition: Int32) throws -> Int64 {
    let first = try handle.bounds(partition).lowerBound
    if first > offset {
      note(
        "\(settings.sourceName): partition \(partition): offsets \(offset) to \(first - 1) are gone from the brokers")
    }
    return max(first, offset)
  }

  /// Where to begin with partitions of which nothing is known.
  private func firstOffsets(_ unknown: [Int32]) throws -> [Int32: Int64] {
    let isGroup = settings.group != nil && !settings.resumes
    var byTime: [Int32: Int64?] = [:]
    if case .time(let millis) = settings.start, !unknown.isEmpty {
      byTime = try handle.offsets(atMillis: millis, unknown)
    }
    var offsets: [Int32: Int64] = [:]
    for partition in unknown {
      let isAdded = !present.contains(partition)
      if isGroup, settings.start == .stored || isAdded || begun.contains(partition) {
        offsets[partition] = Int64(RD_KAFKA_OFFSET_INVALID)
        continue
      }
      if isAdded {
        offsets[partition] = Int64(RD_KAFKA_OFFSET_BEGINNING)
        continue
      }
      let bounds = try handle.bounds(partition)
      switch settings.start {
      case .stored, .begin: offsets[partition] = bounds.lowerBound
      case .end: offsets[partition] = bounds.upperBound
      case .time: offsets[partition] = (byTime[partition] ?? nil) ?? bounds.upperBound
      }
    }
    return offsets
  }

  /// Gives partitions back, all of which that was read having been handed out.
  private func leave() throws {
    let deadline = Clock.now + 10
    while unwritten.update({ $0 }) > 0, Clock.now < deadline { usleep(200) }
    close()
    try handle.unassign(leaving)
    for partition in leaving {
      partitions[partition] = nil
      schedule.forget(source: settings.sourceName, partition: Int64(partition))
    }
    leaving = []
  }

  // MARK: Errors

  /// Throws what no waiting mends; tells of the rest, of each kind now and then.
  private func fail(_ code: rd_kafka_resp_err_t, _ reason: String) throws {
    var error = KafkaError(code, "\(settings.brokers): topic '\(settings.topic)'")
    if !reason.isEmpty, reason != error.reason { error.reason += " (\(reason))" }
    switch code {
    case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      throw error
    default: break
    }
    let now = Clock.now
    if !wasAssigned, now - start > Self.patience { throw error }
    if now - (lastNotes[error.description] ?? -.infinity) > Self.patience {
      lastNotes[error.description] = now
      note("\(error); trying on")
    }
  }
}
