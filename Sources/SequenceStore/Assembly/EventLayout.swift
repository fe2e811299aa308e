import Arrow
import Definitions

/// Where the system columns lie in batches of one dataset.
struct EventLayout: Hashable {
  let user: Int
  let ts: Int
  let seenAt: Int
  let eventType: Int
  let eventKey: Int
  let revision: Int
  /// Nil for stored events, of which none is a retraction.
  let retracted: Int?

  init(_ schema: Schema) throws(AssemblyError) {
    user = try Self.find(SystemColumns.user, [.int64, .utf8], "int64 or string", in: schema)
    ts = try Self.find(SystemColumns.ts, [.timestampMicrosUTC], "timestamp[us, UTC]", in: schema)
    seenAt = try Self.find(SystemColumns.seenAt, [.timestampMicrosUTC], "timestamp[us, UTC]", in: schema)
    eventType = try Self.find(SystemColumns.eventType, [.utf8], "string", in: schema)
    eventKey = try Self.find(SystemColumns.eventKey, [.int64], "int64", in: schema)
    revision = try Self.find(SystemColumns.revision, [.int32], "int32", in: schema)
    let hasRetracted = schema.index(of: SystemColumns.retracted) != nil
    retracted = hasRetracted ? try Self.find(SystemColumns.retracted, [.boolean], "bool", in: schema) : nil
  }

  private static func find(
    _ name: String, _ types: [DataType], _ expected: String, in schema: Schema
  ) throws(AssemblyError) -> Int {
    guard let index = schema.index(of: name) else { throw .missingColumn(name) }
    let type = schema.fields[index].type
    if !types.contains(type.valueType) { throw .columnType(name, found: type, expected: expected) }
    return index
  }

  /// All of them.
  var indices: [Int] { [user, ts, seenAt, eventType, eventKey, revision] + (retracted.map { [$0] } ?? []) }
}
