import Arrow
import ArrowKernels
import Buffers
import Definitions
import JSONText
import SequenceStore
import TestSupport
import Testing

@Suite struct SequenceAssemblerTests {
  private static let source = """
    from seqline import *

    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", revision="rev", lateness="3d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "rev": "int32", "kind": "string",
                         "dwell": "int32", "surface": "string"})

    def event(name, dataset, **columns):
        return EventType(name, source=log, owner="team", retention="90d", dataset=dataset, where="kind == '%s'" % name,
                         columns=columns)

    save = event("save", "saves", surface="surface")
    click = event("click", "clicks", dwell="dwell", surface="surface")
    skip = event("skip", "clicks", dwell="dwell", surface="surface")

    def sequence(name, **options):
        return Sequence(name, owner="team", events=[save, click], columns=["ts", "event_type", "surface", "dwell"],
                        **options)

    sequence("whole", max_length=1000)
    sequence("trimmed", max_length=6, caps={"save": 2}, window="1s", where="revision < 2")
    sequence("computed", max_length=40,
             derive=[Counter("n"), Counter("saves", "count", where="event_type == 'save'", window="300ms"),
                     Counter("dwell_sum", "sum", "dwell", window="500ms"), Counter("dwell_max", "max", "dwell"),
                     Counter("dwell_mean", "mean", "dwell", window="1s"), Session("session", gap="100ms"),
                     Gap("gap", where="event_type == 'save'")])
    sequence("cut", max_length=5, caps={"save": 2}, window="1s", where="revision < 2",
             derive=[Counter("n"), Counter("saves", "count", where="event_type == 'save'", window="300ms"),
                     Session("session", gap="100ms"), Gap("gap", where="event_type == 'save'")])
    sequence("merged", max_length=5, caps={"save": 2}, window="1s", where="revision < 2", derive=[Counter("n")],
             merge=Merge("surface", within="300ms",
                         actions=MultiHot("event_type", ["click", "none", "save"], name="actions")))
    sequence("merged_numbers", max_length=50, merge=Merge("dwell", within="1s"))
    """

  private let definitions: DefinitionSet

  init() throws {
    let directory = TemporaryDirectory()
    directory.write(Self.source, to: "definitions.py")
    let module = AuthoringModule(directory: SharedData.packageRoot + "/python")
    definitions = try module.compile("\(directory.path)/definitions.py")
  }

  private func assemble(
    _ name: String, _ events: [SequenceEvent], untilMicros: Int64? = nil, options: AssemblyOptions = AssemblyOptions()
  ) throws -> [JSONValue] {
    let definition = try #require(definitions.sequence(name))
    var assembler = try SequenceAssembler(definition, in: definitions, untilMicros: untilMicros, options: options)
    for batch in SequenceEvent.batches(events) { try assembler.append(batch) }
    var rows: [JSONValue] = []
    let counts = try assembler.finish { batch in
      #expect(batch.schema.fields[0].name == "user_id" && batch.schema.metadata["seq.kind"] == "sequence")
      rows += batch.allRows
    }
    #expect(counts.rowsOut == rows.count)
    return rows
  }

  private func expected(_ name: String, _ events: [SequenceEvent], untilMicros: Int64? = nil) -> [JSONValue] {
    let definition = definitions.sequence(name)!
    let users = Dictionary(grouping: SequenceEvent.resolved(events), by: \.user).sorted { $0.key < $1.key }
    return users.compactMap { user, events in
      let kept = events.trimmed(definition, untilMicros: untilMicros)
      let seen = events.filter { definition.filter == nil || $0.revision < 2 }
      if kept.isEmpty { return nil }
      var row = kept.sequence(user: user, definition.history, among: seen).object!
      if let hot = definition.merge?.actions { row[hot.name] = kept.actions(hot, among: seen, definition, untilMicros) }
      return .object(row)
    }
  }

  @Test(arguments: ["whole", "trimmed", "computed", "cut", "merged", "merged_numbers"], [0, 1, 40, 600])
  func aRowPerUserHoldsTheTrimmedEvents(name: String, count: Int) throws {
    for seed: UInt64 in 1...4 {
      let events = SequenceEvent.random(count: count, seed: seed)
      for options in [AssemblyOptions(), AssemblyOptions(batchRowCount: 3), AssemblyOptions(memoryLimit: 20_000)] {
        #expect(try assemble(name, events, options: options) == expected(name, events))
      }
    }
  }

  @Test(arguments: ["trimmed", "cut", "merged"]) func eventsAtOrAfterTheEndAreLeftOut(name: String) throws {
    let events = SequenceEvent.random(count: 300, seed: 9)
    for until: Int64 in [0, 1_000_000, 1_500_000, 9_000_000] {
      #expect(try assemble(name, events, untilMicros: until) == expected(name, events, untilMicros: until))
    }
  }
}

/// An event of one of two datasets.
private struct SequenceEvent {
  var user: Int64
  var ts: Int64
  var seenAt: Int64
  var type: String
  var key: Int64
  var revision: Int32
  var isRetracted: Bool
  var surface: String?
  var dwell: Int32?

  static func random(count: Int, seed: UInt64) -> [SequenceEvent] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      let type = ["save", "click", "skip"].randomElement(using: &random)!
      return SequenceEvent(
        user: .random(in: 0..<7, using: &random), ts: .random(in: 0..<40, using: &random) * 50_000,
        seenAt: Int64(number), type: type, key: .random(in: 0..<60, using: &random),
        revision: .random(in: 0..<4, using: &random), isRetracted: .random(in: 0..<6, using: &random) == 0,
        surface: ["home", "search", nil].randomElement(using: &random)!,
        dwell: type == "save" || Bool.random(using: &random) ? nil : .random(in: 0..<9, using: &random))
    }
  }

  func key(_ merge: MergeDefinition) -> String? { merge.key == "surface" ? surface : dwell.map { "\($0)" } }

  func isSame(as other: SequenceEvent) -> Bool { type == other.type && key == other.key }

  /// Batches of 1 to 50 rows, each of one dataset.
  static func batches(_ events: [SequenceEvent]) -> [RecordBatch] {
    var batches: [RecordBatch] = []
    for start in stride(from: 0, to: events.count, by: 50) {
      let part = events[start..<min(start + 50, events.count)]
      batches += [part.filter { $0.type == "save" }, part.filter { $0.type != "save" }].filter { !$0.isEmpty }.map(
        batch)
    }
    return batches
  }

  private static func batch(_ events: [SequenceEvent]) -> RecordBatch {
    var fields = SystemColumns.fields(userType: .int64) + [Field("surface", .utf8)]
    var columns = [
      ArrowArray(.int64, events.map { $0.user }), ArrowArray(.timestampMicrosUTC, events.map { $0.ts }),
      ArrowArray(.timestampMicrosUTC, events.map { $0.seenAt }), ArrowArray(events.map { $0.type }),
      ArrowArray(.int64, events.map { $0.key }), ArrowArray(.int32, events.map { $0.revision }),
      ArrowArray(events.map { $0.isRetracted }), ArrowArray(events.map(\.surface)),
    ]
    if events[0].type != "save" {
      fields.append(Field("dwell", .int32))
      columns.append(ArrowArray(.int32, events.map(\.dwell)))
    }
    return RecordBatch(Schema(fields), columns)
  }

  /// The events of the sequences' types that hold, in order.
  static func resolved(_ events: [SequenceEvent]) -> [SequenceEvent] {
    var winners: [String: SequenceEvent] = [:]
    for event in events where event.type != "skip" {
      let identity = "\(event.user) \(event.type) \(event.key)"
      if let other = winners[identity], (other.revision, -other.seenAt) > (event.revision, -event.seenAt) { continue }
      winners[identity] = event
    }
    return winners.values.filter { !$0.isRetracted }.sorted { ($0.ts, $0.type, $0.key) < ($1.ts, $1.type, $1.key) }
  }
}

extension [SequenceEvent] {
  fileprivate func trimmed(_ definition: SequenceDefinition, untilMicros: Int64?) -> [SequenceEvent] {
    let passed = filter { definition.filter == nil || $0.revision < 2 }
    guard let end = untilMicros ?? passed.last.map({ $0.ts + 1 }) else { return [] }
    var kept: [SequenceEvent] = []
    for event in passed.filter({ $0.ts < end }).merged(definition.merge).reversed() {
      if let window = definition.windowMicros, event.ts < end - window { continue }
      let cap = definition.caps.first { $0.eventType == event.type }?.count ?? .max
      if kept.count(where: { $0.type == event.type }) < cap, kept.count < definition.maximumLength {
        kept.append(event)
      }
    }
    return kept.reversed()
  }

  /// The newest of each group, by the plainest means.
  private func merged(_ merge: MergeDefinition?) -> [SequenceEvent] {
    guard let merge else { return self }
    var newest: [SequenceEvent] = []
    for event in reversed() {
      let isMerged = newest.contains { other in
        event.key(merge) != nil && other.key(merge) == event.key(merge) && other.ts - event.ts <= merge.withinMicros
      }
      if !isMerged { newest.append(event) }
    }
    return newest.reversed()
  }

  /// For each of these events, which values the events have that are merged into it.
  fileprivate func actions(
    _ hot: MultiHot, among all: [SequenceEvent], _ definition: SequenceDefinition, _ untilMicros: Int64?
  ) -> JSONValue {
    let merge = definition.merge!
    let existing = all.filter { $0.ts < untilMicros ?? .max }
    let newest = existing.merged(merge)
    func owner(_ event: SequenceEvent) -> SequenceEvent {
      if event.key(merge) == nil { return event }
      return newest.last {
        $0.key(merge) == event.key(merge) && $0.ts >= event.ts && $0.ts - event.ts <= merge.withinMicros
          && !($0.ts == event.ts && ($0.type, $0.key) < (event.type, event.key))
      }!
    }
    return .array(
      map { kept in
        let types = Set(existing.filter { owner($0).isSame(as: kept) }.map(\.type))
        return .array(hot.values.map { .integer(types.contains($0) ? 1 : 0) })
      })
  }

  /// - Parameter all: the events that derived columns see, these among them.
  fileprivate func sequence(user: Int64, _ history: [HistoryColumn], among all: [SequenceEvent]) -> JSONValue {
    let places = map { event in all.firstIndex { $0.type == event.type && $0.key == event.key }! }
    var row: [String: JSONValue] = [
      "user_id": .integer(user), "ts": .array(map { .integer($0.ts) }), "event_type": .array(map { .string($0.type) }),
      "surface": .array(map { $0.surface.map { .string($0) } ?? .null }),
      "dwell": .array(map { $0.dwell.map { .integer(Int64($0)) } ?? .null }),
    ]
    for column in history { row[column.name] = .array(places.map { all.value(column.name, $0) }) }
    return .object(row)
  }

  private func value(_ name: String, _ place: Int) -> JSONValue {
    let event = self[place]
    func dwells(within micros: Int64) -> [Int64] {
      self[..<place].filter { event.ts - $0.ts <= micros }.compactMap(\.dwell).map { Int64($0) }
    }
    let saves = self[..<place].filter { $0.type == "save" }
    switch name {
    case "n": return .integer(Int64(place))
    case "saves": return .integer(Int64(saves.count { event.ts - $0.ts <= 300_000 }))
    case "dwell_sum": return .integer(dwells(within: 500_000).reduce(0, +))
    case "dwell_max": return dwells(within: .max).max().map { .integer($0) } ?? .null
    case "dwell_mean":
      let values = dwells(within: 1_000_000)
      return values.isEmpty ? .null : .number(Double(values.reduce(0, +)) / Double(values.count))
    case "session":
      return .integer(self[self[...place].indices.last { $0 == 0 || self[$0].ts - self[$0 - 1].ts > 100_000 }!].ts)
    default: return saves.last.map { .integer(event.ts - $0.ts) } ?? .null
    }
  }
}
