import Definitions
import Synchronization
import TestSupport

/// How a source declares what its lines have.
struct LogVariant: Hashable, Sendable {
  var hasTextUsers = false
  /// Without it an event is taken to have arrived when it happened.
  var hasArrival = true
  var hasTypeField = true
  /// Tables whose events have their ids as a column derive the key from it.
  var hasIDColumn = false
  var shardCount = 1
  /// Where it is not long, retractions get so old in a log that compaction lets them go: after a pause of some hours, or
  /// after a day.
  var latenessHours: Int64 = 720

  var latenessMillis: Int64 { latenessHours * 3_600_000 }

  static let all = [
    LogVariant(), LogVariant(latenessHours: 2), LogVariant(hasTextUsers: true, latenessHours: 2),
    LogVariant(hasTypeField: false, latenessHours: 6), LogVariant(hasTextUsers: true, hasTypeField: false),
    LogVariant(hasTextUsers: true, hasIDColumn: true, latenessHours: 6),
    LogVariant(hasArrival: false, hasIDColumn: true), LogVariant(hasTextUsers: true, hasArrival: false),
    LogVariant(shardCount: 8, latenessHours: 2), LogVariant(hasTextUsers: true, shardCount: 2, latenessHours: 24),
  ]

  func line(_ version: RandomLog.Version) -> String {
    let user = hasTextUsers ? "\"user \(version.user)\"" : "\(version.user)"
    let item = version.item.map { "\"item\":\($0)," } ?? ""
    let duration = version.duration.map { "\"ms\":\($0)," } ?? ""
    return
      "{\"id\":\"e\(version.id)\",\"rev\":\(version.revision),\"seen\":\(version.seenMillis),\"ts\":\(version.millis),"
      + "\(item)\(duration)\"kind\":\"\(version.kind)\",\"user\":{\"id\":\(user)}}"
  }

  /// Three event types in two datasets, and a sequence of all.
  var source: String {
    """
    from seqline import *
    \(shardCount > 1 ? "Store(shards=\(shardCount))" : "")
    log = Source("log", path="raw/*.ndjson", user="user.id", ts="ts", id="id", revision="rev",
                 \(hasArrival ? "arrival='seen'," : "") \(hasTypeField ? "type='kind'," : "") lateness="\(latenessHours)h",
                 fields={"seen": "timestamp[ms]", "user.id": "\(hasTextUsers ? "string" : "int64")", "ts": "timestamp[ms]",
                         "id": "string", "rev": "int32", "kind": "string", "item": "int64", "ms": "int32"})
    def event(name, dataset):
        return EventType(name, source=log, owner="team", retention="90d", dataset=dataset,
                         where=f"kind == '{name}' && ms >= 1000",
                         columns={\(hasIDColumn ? "'event_id': 'id', " : "")"item_id": "item", "ms": "ms"})
    events = [event("click", "events"), event("save", "events"), event("view", "views")]
    Sequence("all", owner="team", stage="development", events=events, max_length=500,
             columns=["ts", "event_type", "item_id", "ms"])
    """
  }

  func definitions() throws -> DefinitionSet {
    try Self.compiled.withLock { compiled in
      if let known = compiled[self] { return known }
      let folder = TemporaryDirectory()
      folder.write(source, to: "definitions.py")
      let made = try AuthoringModule.find().compile(folder.path + "/definitions.py")
      compiled[self] = made
      return made
    }
  }

  private static let compiled = Mutex<[LogVariant: DefinitionSet]>([:])
}
