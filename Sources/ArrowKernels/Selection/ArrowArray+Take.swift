import Arrow
import Buffers

extension Bitmap {
  /// The positions of the set bits, ascending, as Int32: a selection vector.
  public func setIndices() -> Buffer {
    let total = setBitCount
    var output = BufferBuilder(capacity: total * 4)
    unsafe output.appendUnsafely(capacity: total * 4) { memory in
      let indices = unsafe memory.assumingMemoryBound(to: Int32.self)
      var next = 0
      var start = 0
      while start < count {
        var word = word(at: start)
        while word != 0 {
          unsafe indices[next] = Int32(truncatingIfNeeded: start &+ word.trailingZeroBitCount)
          word &= word &- 1
          next &+= 1
        }
        start &+= 64
      }
      return memory.count
    }
    return output.finish()
  }
}

extension ArrowArray {
  /// The values at `indices`, in their order.
  ///
  /// - Parameter indices: Int32 each, below `count`; a negative one yields a null.
  public func take(_ indices: Buffer) -> ArrowArray { gather([self], TakenRows(indices, rowCount: count)) }

  /// The values whose bit is set.
  /// - Precondition: `selection` has `count` bits.
  public func filter(_ selection: Bitmap) -> ArrowArray {
    precondition(selection.count == count, "\(selection.count) bits select among \(count) values")
    let indices = selection.setIndices()
    if indices.byteCount == count * 4 { return self }
    return gather([self], TakenRows(checked: indices, hasNulls: false))
  }

  /// Rows of several arrays of one type, in the order of `rows`.
  ///
  /// Dictionaries are kept when all arrays share one, else unified.
  /// - Parameter rows: `RowReference` each.
  public static func interleave(_ sources: [ArrowArray], _ rows: Buffer) -> ArrowArray {
    precondition(sources.allSatisfy { $0.type == sources[0].type }, "arrays of several types")
    return gather(sources, InterleavedRows(rows, rowCounts: sources.map(\.count)))
  }
}

extension RecordBatch {
  /// The rows at `indices`: Int32 each, below `rowCount`; a negative one yields a row of nulls.
  public func take(_ indices: Buffer) -> RecordBatch {
    let rows = TakenRows(indices, rowCount: rowCount)
    return RecordBatch(schema, gatherColumns(columns.map { [$0] }, rows), rowCount: rows.count)
  }

  /// The rows whose bit is set.
  /// - Precondition: `selection` has `rowCount` bits.
  public func filter(_ selection: Bitmap) -> RecordBatch {
    precondition(selection.count == rowCount, "\(selection.count) bits select among \(rowCount) rows")
    let rows = TakenRows(checked: selection.setIndices(), hasNulls: false)
    if rows.count == rowCount { return self }
    return RecordBatch(schema, gatherColumns(columns.map { [$0] }, rows), rowCount: rows.count)
  }

  /// Rows of several batches of one schema, in the order of `rows`, `RowReference` each.
  public static func interleave(_ sources: [RecordBatch], _ rows: Buffer) -> RecordBatch {
    interleave(sources, [rows])[0]
  }

  /// The same for several lists of rows, a batch each: a column at a time, so that its values stay in the cache.
  public static func interleave(_ sources: [RecordBatch], _ pieces: [Buffer]) -> [RecordBatch] {
    let rowCounts = sources.map(\.rowCount)
    let pieces = pieces.map { InterleavedRows($0, rowCounts: rowCounts) }
    let arrays = sources[0].columns.indices.map { column in sources.map { $0.columns[column] } }
    var columns: [[ArrowArray]] = []
    for column in arrays.indices {
      let same = arrays.firstTwin(of: column)
      columns.append(same.map { columns[$0] } ?? pieces.map { gather(arrays[column], $0) })
    }
    return pieces.indices.map { piece in
      let arrays = columns.map { $0[piece] }
      return RecordBatch(sources[0].schema.retyped(as: arrays), arrays, rowCount: pieces[piece].count)
    }
  }
}

/// A column of each of `columns`, which are their parts in several batches; what two of them share is gathered once.
private func gatherColumns<Rows: RowMap>(_ columns: [[ArrowArray]], _ rows: Rows) -> [ArrowArray] {
  var gathered: [ArrowArray] = []
  for column in columns.indices {
    let same = columns.firstTwin(of: column)
    gathered.append(same.map { gathered[$0] } ?? gather(columns[column], rows))
  }
  return gathered
}

extension [[ArrowArray]] {
  /// The first column before that of `index` whose parts are the very same memory.
  func firstTwin(of index: Int) -> Int? {
    self[..<index].firstIndex { other in
      other.indices.allSatisfy { other[$0].isIdentical(to: self[index][$0]) }
    }
  }
}

extension Schema {
  /// This schema with the types of `columns`, which may be dictionaries, or have wider indices.
  public func retyped(as columns: [ArrowArray]) -> Schema {
    var schema = self
    for (index, column) in columns.enumerated() { schema.fields[index].type = column.type }
    return schema
  }
}
