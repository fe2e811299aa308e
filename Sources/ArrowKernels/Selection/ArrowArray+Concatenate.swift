import Arrow
import Buffers

extension ArrowArray {
  /// All values of `arrays`, one array after the other.
  ///
  /// Dictionaries are kept when all arrays share one, else unified (with Int32 indices where the old are too narrow).
  /// - Precondition: at least one array; all of one type.
  public static func concatenate(_ arrays: [ArrowArray]) -> ArrowArray {
    precondition(!arrays.isEmpty, "no array to concatenate")
    precondition(arrays.allSatisfy { $0.type == arrays[0].type }, "arrays of several types")
    let filled = arrays.filter { $0.count > 0 }
    return filled.count < 2 ? filled.first ?? arrays[0] : joined(filled)
  }

  /// The same values in memory of their own, so that what they are a slice of can go; a dictionary's values are shared.
  public func copied() -> ArrowArray { Self.joined([self]) }

  private static func joined(_ arrays: [ArrowArray]) -> ArrowArray {
    let count = arrays.reduce(0) { $0 + $1.count }
    if case .dictionary = arrays[0].storage { return concatenateDictionaries(arrays, count: count) }
    let storage = concatenateStorage(arrays)
    return ArrowArray(
      arrays[0].type.adapted(to: storage), count: count,
      validity: concatenateValidity(arrays.map { ($0.count, $0.validity) }, count: count), storage: storage)
  }

  private static func concatenateStorage(_ arrays: [ArrowArray]) -> Storage {
    switch arrays[0].storage {
    case .null: return .null
    case .boolean: return .boolean(concatenateBits(arrays.map(\.bits)))
    case .fixed: return .fixed(Buffer.joining(arrays.map(\.values)))
    case .variable:
      let ranges = arrays.map(\.valueRange)
      let data = Buffer.joining(zip(arrays, ranges).map { $0.data.slice($1) })
      return .variable(offsets: concatenateOffsets(arrays, ranges), data: data)
    case .list:
      let ranges = arrays.map(\.valueRange)
      let child = joined(zip(arrays, ranges).map { $0.children[0].slice($1) })
      return .list(offsets: concatenateOffsets(arrays, ranges), child: child)
    case .fixedSizeList: return .fixedSizeList(child: joined(arrays.map { $0.children[0] }))
    case .structure(let children):
      return .structure(children: children.indices.map { field in joined(arrays.map { $0.children[field] }) })
    case .dictionary: preconditionFailure("dictionaries are concatenated by their indices")
    }
  }

  private static func concatenateDictionaries(_ arrays: [ArrowArray], count: Int) -> ArrowArray {
    let unified = UnifiedDictionary(arrays)
    return ArrowArray(
      unified.type, count: count,
      validity: concatenateValidity(zip(arrays, unified.validities).map { ($0.count, $1) }, count: count),
      storage: .dictionary(indices: Buffer.joining(unified.indices), values: unified.values))
  }

  /// What the offsets name of the data or child.
  var valueRange: Range<Int> {
    let offsets = offsets
    return Int(offsets.load(0, as: Int32.self))..<Int(offsets.load(count, as: Int32.self))
  }

  private static func concatenateBits(_ bitmaps: [Bitmap]) -> Bitmap {
    var output = BitmapBuilder(capacity: bitmaps.reduce(0) { $0 + $1.count })
    for bits in bitmaps { output.append(bits) }
    return output.finish()
  }

  private static func concatenateValidity(_ parts: [(count: Int, validity: Bitmap?)], count: Int) -> Bitmap? {
    if parts.allSatisfy({ $0.validity == nil }) { return nil }
    var output = BitmapBuilder(capacity: count)
    for part in parts {
      if let validity = part.validity {
        output.append(validity)
      } else {
        output.append(repeating: true, count: part.count)
      }
    }
    return output.finish()
  }

  private static func concatenateOffsets(_ arrays: [ArrowArray], _ ranges: [Range<Int>]) -> Buffer {
    let total = ranges.reduce(0) { $0 + $1.count }
    precondition(total <= Int32.max, "\(total) elements in one column; cut the batch")
    var output = BufferBuilder(capacity: (arrays.reduce(0) { $0 + $1.count } + 1) * 4)
    output.append(Int32(0))
    var base = 0
    for (array, range) in zip(arrays, ranges) {
      let shift = Int32(truncatingIfNeeded: base &- range.lowerBound)
      let offsets = array.offsets
      precondition(offsets.byteCount >= (array.count + 1) * 4, "\(offsets.byteCount) bytes of offsets")
      unsafe output.appendUnsafely(capacity: array.count * 4) { memory in
        let ends = unsafe memory.assumingMemoryBound(to: Int32.self)
        for index in 0..<array.count {
          unsafe ends[index] = offsets.load(unchecked: index &+ 1, as: Int32.self) &+ shift
        }
        return memory.count
      }
      base += range.count
    }
    return output.finish()
  }
}

extension RecordBatch {
  /// The same rows in memory of their own, which columns that shared it still share; dictionaries' values are shared.
  public func copied() -> RecordBatch {
    var copies: [ArrowArray] = []
    for column in columns {
      let same = columns[..<copies.count].firstIndex { $0.isIdentical(to: column) }
      copies.append(same.map { copies[$0] } ?? column.copied())
    }
    return RecordBatch(schema, copies, rowCount: rowCount)
  }

  /// All rows of `batches`, of one schema, one batch after the other; columns that share memory still do.
  public static func concatenate(_ batches: [RecordBatch]) -> RecordBatch {
    precondition(!batches.isEmpty, "no batch to concatenate")
    if batches.count == 1 { return batches[0] }
    let parts = batches[0].columns.indices.map { column in batches.map { $0.columns[column] } }
    var columns: [ArrowArray] = []
    for column in parts.indices {
      columns.append(parts.firstTwin(of: column).map { columns[$0] } ?? ArrowArray.concatenate(parts[column]))
    }
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    return RecordBatch(batches[0].schema.retyped(as: columns), columns, rowCount: rowCount)
  }
}
