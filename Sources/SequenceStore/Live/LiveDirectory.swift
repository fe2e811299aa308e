import Buffers
// STORE/live/SHARD/
//   LOCK             flock(2) of the writer; its text says who that is
//   000042.frames    a segment: frames, verbatim as they came; the highest number is open
//   durable          how far the log is synced: `DurableMarker`
import Definitions
import Engine
import Glibc

/// Where the live log of a shard keeps what.
package struct LiveDirectory: Sendable, Hashable {
  package let path: String
  package let shard: Shard

  package init(_ store: StoreDirectory, _ shard: Shard) {
    path = "\(store.live)/\(shard)"
    self.shard = shard
  }

  package var lock: String { "\(path)/LOCK" }
  package var durable: String { "\(path)/durable" }

  package func segment(_ number: UInt64) -> String { "\(path)/\(Self.segmentName(number))" }

  package static func segmentName(_ number: UInt64) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits + suffix
  }

  /// The number in a segment's name; nil for other files.
  package static func segmentNumber(_ name: String) -> UInt64? {
    guard name.hasSuffix(suffix), let number = UInt64(name.dropLast(suffix.utf8.count)),
      segmentName(number) == name
    else { return nil }
    return number
  }

  private static let suffix = ".frames"

  /// The segments that are there, ascending.
  package func segments() throws(StoreError) -> [UInt64] {
    try StoreDirectory.names(in: path).compactMap(Self.segmentNumber).sorted()
  }

  /// How far the log is durable; nil before its writer has begun.
  package func durableMarker() throws(StoreError) -> DurableMarker? {
    // The writer overwrites the 24 bytes in one call: a torn read is rare, and the next one is whole.
    for _ in 0..<1_000 {
      do {
        let file = try OpenFile(reading: durable)
        let bytes = try file.bytes(at: 0, byteCount: DurableMarker.encodedByteCount)
        if bytes.isEmpty { return nil }
        if let marker = DurableMarker(bytes) { return marker }
      } catch {
        if error.code == ENOENT { return nil }
        throw .system(error)
      }
    }
    throw .damaged(path: durable, what: "its check fails")
  }
}

extension StoreDirectory {
  package var live: String { path + "/live" }

  /// The shards that have a live log, ascending.
  package func liveShards() throws(StoreError) -> [Shard] {
    try Self.names(in: live).compactMap { Shard($0) }.sorted()
  }
}
