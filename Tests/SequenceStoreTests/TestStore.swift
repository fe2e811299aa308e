import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Glibc
import JSONText
import SequenceStore
import TestSupport

/// An event as tests make it: plain values, and its columns when it is batched.
struct TestEvent: Hashable {
  var user: Int64
  var micros: Int64
  var seen: Int64 = 0
  var type = "click"
  var key: Int64
  var revision: Int32 = 0
  var isRetracted = false
  var item: Int64? = nil
  var text: String? = nil
  var id: String? = nil

  /// The event as it comes from a source without a time of arrival, its key the hash of an id.
  var withID: TestEvent {
    var event = self
    let id = "event \(key)"
    let bytes = Array(id.utf8)
    event.id = id
    event.key = unsafe Int64(bitPattern: XXHash64.hash(bytes.span.bytes))
    event.seen = micros
    return event
  }

  var dataset: String { type == "view" ? "views" : "events" }

  static func order(_ left: TestEvent, _ right: TestEvent) -> Bool {
    (left.user, left.micros, left.type, left.key) < (right.user, right.micros, right.type, right.key)
  }

  /// As a row of the sequence `all`.
  var row: JSONValue {
    [
      "ts": .integer(micros), "event_type": .string(type), "item_id": item.map { .integer($0) } ?? .null,
      "text": text.map { .string($0) } ?? .null,
    ]
  }
}

/// A store in a directory of its own, and its definitions: two datasets, three event types, a sequence of all.
///
/// Where events have ids and no time of arrival, `event_key` and `seen_at` are derived; else they are stored.
struct TestStore {
  let directory: TemporaryDirectory
  let derives: Bool
  var definitions: DefinitionSet

  static let day0 = Day("2026-11-18")!

  static let source = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user.id", ts="ts", id="id", revision="rev", ARRIVAL lateness="3d",
                 fields={"seen": "timestamp[ms]", "user.id": "USER", "ts": "timestamp[ms]", "id": "string", "rev": "int32", "kind": "string",
                         "item": "int64", "text": "string", "vector": "float32[3]"})
    def event(name, dataset):
        return EventType(name, source=log, owner="team", retention="90d", dataset=dataset, where=f"kind == '{name}'",
                         columns={ID "item_id": "item", "text": "text", "vector": "vector"})
    click, save, view = event("click", "events"), event("save", "events"), event("view", "views")
    Sequence("all", owner="team", stage="development", events=[click, save, view], max_length=500,
             columns=["ts", "event_type", "item_id", "text"])
    Sequence("saves", owner="team", stage="development", events=[save], max_length=500, where="item_id >= 50",
             columns=["ts", "event_type", "item_id", "text"])
    Sequence("vectors", owner="team", stage="development", events=[click, save, view], max_length=500,
             columns=["ts", "item_id", "vector"])
    Sequence("derived", owner="team", events=[click, save, view], max_length=500, where="item_id != 13 || text != null",
             columns=["ts", "item_id"],
             derive=[Counter("n"), Counter("saves_1h", where="event_type == 'save'", window="1h"),
                     Counter("sum_2d", "sum", "item_id", window="2d"), Counter("mean_1h", "mean", "item_id", window="1h"),
                     Counter("least_30m", "min", "item_id", window="30m"), Session("session", gap="4m"), Gap("gap"),
                     Gap("since_rare", where="event_type == 'save' && item_id > 90")])
    def merged(name, key, within):
        Sequence(name, owner="team", events=[click, save, view], max_length=500,
                 columns=["ts", "event_type", "item_id", "text"], objects=Objects(key),
                 merge=Merge(key, within=within, actions=MultiHot("event_type", ["save", "view"], name="actions")))
    merged("merged", "item_id", "40m")
    merged("merged_texts", "text", "2d")
    """

  /// - Parameter directory: where a store may be already; nil for a new one.
  init(userType: String = "int64", derives: Bool = false, in directory: TemporaryDirectory? = nil) throws {
    self.derives = derives
    self.directory = directory ?? TemporaryDirectory()
    let file = self.directory.path + "/definitions.py"
    let text = Self.source.replacing("USER", with: userType)
      .replacing("ARRIVAL", with: derives ? "" : "arrival='seen',")
      .replacing("ID", with: derives ? "'event_id': 'id'," : "")
    self.directory.write(text, to: "definitions.py")
    definitions = try AuthoringModule.find().compile(file)
  }

  var store: StoreDirectory { StoreDirectory(directory.path + "/store") }

  func plan(_ name: String = "all") throws -> SequencePlan {
    try SequencePlan(definitions.sequence(name)!, in: definitions)
  }

  /// Events of one dataset, in the order given.
  func batch(_ events: [TestEvent], dataset: String) -> RecordBatch {
    let isText = definitions.datasets[0].userType == .utf8
    let users = isText ? ArrowArray(events.map { "u\($0.user)" }) : ArrowArray(.int64, events.map(\.user))
    let schema = Schema(
      SystemColumns.fields(userType: users.type)
        + [Field("item_id", .int64), Field("text", .utf8), Field("vector", Self.vectorType)]
        + (derives ? [Field("event_id", .utf8)] : []),
      metadata: [MetadataKey.kind: "event", MetadataKey.dataset: dataset, MetadataKey.order: "user"])
    return RecordBatch(
      schema,
      [
        users, ArrowArray(.timestampMicrosUTC, events.map(\.micros)),
        ArrowArray(.timestampMicrosUTC, events.map(\.seen)),
        ArrowArray(events.map(\.type)), ArrowArray(.int64, events.map(\.key)),
        ArrowArray(.int32, events.map(\.revision)),
        ArrowArray(events.map(\.isRetracted)), ArrowArray(.int64, events.map(\.item)), ArrowArray(events.map(\.text)),
        Self.vectors(events),
      ] + (derives ? [ArrowArray(events.map(\.id))] : []))
  }

  private static let vectorType = DataType.fixedSizeList(Field("item", .float32), count: 3)

  /// Three numbers for each item, but for some moments.
  private static func vectors(_ events: [TestEvent]) -> ArrowArray {
    let numbers: [Float] = events.flatMap { event -> [Float] in
      let item = Float(event.item ?? 0)
      return [item, -0.0, item / 4]
    }
    return ArrowArray(
      vectorType, count: events.count, validity: Bitmap(events.map { $0.micros % 11_000_000 != 0 }),
      storage: .fixedSizeList(child: ArrowArray(.float32, numbers)))
  }

  /// Replaces days by `events`, in order, in batches of `batchRowCount`.
  @discardableResult func index(
    _ events: [TestEvent], replacing range: DayRange = .all, batchRowCount: Int = 1_000, threads: Int = 2,
    horizon: Int64? = nil
  ) throws -> [String: IndexCounts] {
    var options = StoreIndexer.Options()
    options.threads = threads
    options.rowGroupByteCount = 32 << 10
    options.horizonMicros = horizon
    let indexer = try StoreIndexer(store, definitions: definitions, replacing: range, options: options)
    for dataset in ["events", "views"] {
      var own = events.filter { $0.dataset == dataset }.sorted(by: TestEvent.order)
      if definitions.datasets[0].userType == .utf8 {
        own.sort { ("u\($0.user)", $0.micros, $0.type, $0.key) < ("u\($1.user)", $1.micros, $1.type, $1.key) }
      }
      for start in stride(from: 0, to: own.count, by: batchRowCount) {
        try indexer.add(batch(Array(own[start..<min(start + batchRowCount, own.count)]), dataset: dataset))
      }
    }
    return try indexer.commit()
  }

  /// Distinct events over some days; few users have most of them.
  static func events(_ count: Int, days: Int = 5, users: Int = 60, seed: UInt64 = 1) -> [TestEvent] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      let user = Int64(random.next() % UInt64(users))
      let micros =
        day0.startMicros + Int64(random.next() % UInt64(days)) * 86_400_000_000 + Int64(random.next() % 5_000)
        * 1_000_000
      return TestEvent(
        user: user * user / 7, micros: micros, seen: micros + 5,
        type: ["click", "save", "view"][Int(random.next() % 3)],
        key: Int64(bitPattern: random.next()), item: random.next() % 10 == 0 ? nil : Int64(random.next() % 100),
        text: number % 3 == 0 ? nil : "text \(random.next() % 1_000)")
    }
  }

  /// All rows of a dataset, as another reader would get them.
  func scan(_ dataset: String) throws -> [TestEvent] {
    let table = store.dataset(dataset)
    guard try table.exists() else { return [] }
    return try table.batches(of: table.snapshot()).flatMap { batch in
      (0..<batch.rowCount).map { row in
        func integer(_ name: String) -> Int64 { batch[name]!.values.load(row, as: Int64.self) }
        let (item, text, user) = (batch["item_id"]!, batch["text"]!, batch["user_id"]!)
        return TestEvent(
          user: user.type == .utf8 ? Int64(user.string(row).dropFirst())! : integer("user_id"), micros: integer("ts"),
          seen: integer("seen_at"), type: batch["event_type"]!.string(row), key: integer("event_key"),
          revision: batch["revision"]!.values.load(row, as: Int32.self),
          item: item.isNull(row) ? nil : item.values.load(row, as: Int64.self),
          text: text.isNull(row) ? nil : text.string(row))
      }
    }
  }
}
