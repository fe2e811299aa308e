import Arrow
import Buffers
import Definitions
import Engine
import Frames

/// Takes one shard's part of a stream.
struct ShardChoice: Sendable {
  private let shard: Shard
  private let router: ShardRouter
  private let encoder = FrameEncoder(compression: .stored)

  init(_ shard: Shard, of count: Int) {
    self.shard = shard
    router = ShardRouter(count: count)
  }

  /// A frame as it came if all its rows are the shard's, or it is a control frame; else one of those rows; nil without.
  ///
  /// - Parameter frame: `raw`, decoded, its system columns checked.
  func part(of raw: RawFrame, _ frame: Frame) -> Buffer? {
    guard router.count > 1, case .data(let schema, let batches) = frame else { return raw.bytes }
    if let routed = schema.metadata[MetadataKey.shard], routed.hasSuffix("/\(router.count)") {
      return routed == ShardRouter.label(shard, of: router.count) ? raw.bytes : nil
    }
    let parts = batches.compactMap { router.rows(of: shard, in: $0) }.filter { $0.rowCount > 0 }
    guard !parts.isEmpty else { return nil }
    let count = batches.reduce(0) { $0 + $1.rowCount }
    if parts.reduce(0, { $0 + $1.rowCount }) == count { return raw.bytes }
    return encoder.encode(schema: schema, batches: parts).bytes
  }
}
