import Arrow
import Buffers

/// Columns whose own buffers lie in one piece of memory, of their size: to be kept for long. Values of dictionaries, such as lists of a
/// pool, are shared.
struct PackedColumns {
  let columns: [ArrowArray]
  /// In memory, without the values of dictionaries.
  let byteCount: Int

  /// Copies the columns; buffers that are one stay one.
  init(_ columns: [ArrowArray]) {
    var distinct: [Buffer] = []
    for column in columns {
      for buffer in column.ownBuffers where !distinct.contains(where: { $0.isIdentical(to: buffer) }) {
        distinct.append(buffer)
      }
    }
    var memory = PackedBuffers(capacity: distinct.reduce(0) { $0 + PackedBuffers.byteCount(of: $1) })
    var copies: [Buffer] = []
    for buffer in distinct { copies.append(memory.append(buffer)) }
    self.columns = columns.map { column in
      column.replacingBuffers(sharesDictionary: true) { buffer in
        copies[distinct.firstIndex { $0.isIdentical(to: buffer) }!]
      }
    }
    byteCount = memory.memoryByteCount + columns.count * Self.columnByteCount
  }

  /// An array, and what it has by reference besides buffers: where they are, and the type.
  private static var columnByteCount: Int { MemoryLayout<ArrowArray>.stride + 64 }
}

extension ArrowArray {
  /// All but those of a dictionary's values.
  fileprivate var ownBuffers: [Buffer] {
    let own = validity.map { [$0.buffer] } ?? []
    return switch storage {
    case .null: own
    case .boolean(let bits): own + [bits.buffer]
    case .fixed(let values): own + [values]
    case .variable(let offsets, let data): own + [offsets, data]
    case .list(let offsets, let child): own + [offsets] + child.ownBuffers
    case .fixedSizeList(let child): own + child.ownBuffers
    case .structure(let children): own + children.flatMap(\.ownBuffers)
    case .dictionary(let indices, _): own + [indices]
    }
  }
}
