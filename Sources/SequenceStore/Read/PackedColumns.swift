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
      _ = column.replacingBuffers(sharesDictionary: true) { buffer in
        if !distinct.contains(where: { $0.isIdentical(to: buffer) }) { distinct.append(buffer) }
        return buffer
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
