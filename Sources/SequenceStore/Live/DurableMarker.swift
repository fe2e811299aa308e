import Buffers

// The file `durable` of a live log, numbers little-endian:
//
//   uint64 segment, uint64 byteCount, uint64 XXH64 of the 16 bytes before

/// How far a live log has reached the disk: all bytes of lower segments, and the first `byteCount` of `segment`.
///
/// The writer overwrites it in place after every sync, so that inotify wakes those who follow. It may lag behind what is
/// durable, after a power cut, and never runs ahead.
package struct DurableMarker: Sendable, Hashable, Comparable {
  package var segment: UInt64
  package var byteCount: UInt64

  package static let encodedByteCount = 24

  package init(segment: UInt64, byteCount: UInt64) {
    self.segment = segment
    self.byteCount = byteCount
  }

  /// - Returns: nil when the check fails: the bytes were being written, so read again.
  package init?(_ bytes: Buffer) {
    guard bytes.byteCount == Self.encodedByteCount,
      bytes.load(2, as: UInt64.self) == XXHash64.hash(bytes.slice(0..<16).bytes)
    else { return nil }
    self.init(segment: bytes.load(0, as: UInt64.self), byteCount: bytes.load(1, as: UInt64.self))
  }

  package var encoded: Buffer {
    var bytes = BufferBuilder(capacity: Self.encodedByteCount)
    bytes.append(segment)
    bytes.append(byteCount)
    bytes.append(XXHash64.hash(bytes.bytes))
    return bytes.finish()
  }

  package static func < (left: DurableMarker, right: DurableMarker) -> Bool {
    (left.segment, left.byteCount) < (right.segment, right.byteCount)
  }
}
