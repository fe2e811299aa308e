import Buffers
import Synchronization

/// What was last written and read of schemas.
///
/// The frames of a stream state the same few again and again, and to write or read a schema takes longer than the rows of a
/// small frame do. Batches of one schema then share its memory, too, which makes comparing them a look at an address.
enum IPCSchemaCache {
  /// A schema as a stream begins with it.
  final class Written: Sendable {
    let schema: Schema
    let runs: Set<String>
    /// How many pairs of metadata each stream adds.
    let more: Int
    let columns: [IPCColumn]
    /// Dictionaries are numbered from 0.
    let dictionaryCount: Int
    let head: IPCMessageWriter.SchemaHead

    init(_ schema: Schema, runs: Set<String>, more: Int) {
      var nextID: Int64 = 0
      (self.schema, self.runs, self.more) = (schema, runs, more)
      columns = schema.fields.map { field in
        runs.contains(field.name) ? IPCColumn(runs: field, nextID: &nextID) : IPCColumn(field, nextID: &nextID)
      }
      dictionaryCount = Int(nextID)
      head = IPCMessageWriter.schemaHead(columns, metadata: schema.metadata, more: more)
    }
  }

  /// What the metadata of a schema message says.
  struct Read: Sendable {
    let metadata: Buffer
    let columns: [IPCColumn]
    let schema: Schema
    let isBigEndian: Bool

    init(_ message: IPCMessage) throws(IPCError) {
      var decoder = IPCSchemaDecoder(message.metadata)
      columns = try decoder.columns(message.header)
      isBigEndian = try message.header.integer(0, default: Int16(0)) != 0
      schema = Schema(
        columns.map(\.field), metadata: try decoder.metadata(message.header.vector(2, elementByteCount: 4)))
      metadata = Buffer(copying: message.metadata.bytes.bytes)
    }
  }

  private static let written = RecentValues<Written>()
  private static let read = RecentValues<Read>()
  /// Larger messages are not kept.
  private static let byteCountLimit = 64 << 10

  /// - Parameters:
  ///   - runs: the names of the fields that are written as runs.
  ///   - more: how many pairs of metadata are added.
  static func written(_ schema: Schema, runs: Set<String>, more: Int) -> Written {
    if let known = written.first(where: { $0.more == more && $0.schema == schema && $0.runs == runs }) { return known }
    let made = Written(schema, runs: runs, more: more)
    if made.head.byteCount <= byteCountLimit { written.add(made) }
    return made
  }

  static func read(_ message: IPCMessage) throws(IPCError) -> Read {
    let metadata = message.metadata.bytes
    if let known = read.first(where: { $0.metadata == metadata }) { return known }
    let made = try Read(message)
    if metadata.byteCount <= byteCountLimit { read.add(made) }
    return made
  }
}

/// The values that were used last, a few of them; shared by threads.
private final class RecentValues<Value: Sendable>: Sendable {
  /// The last used first.
  private let values = Mutex<[Value]>([])
  private let limit = 8

  func first(where isWanted: (Value) -> Bool) -> Value? {
    values.withLock { values in
      guard let place = values.firstIndex(where: isWanted) else { return nil }
      if place > 0 { values.insert(values.remove(at: place), at: 0) }
      return values[0]
    }
  }

  func add(_ value: Value) {
    values.withLock { values in
      if values.count == limit { values.removeLast() }
      values.insert(value, at: 0)
    }
  }
}
