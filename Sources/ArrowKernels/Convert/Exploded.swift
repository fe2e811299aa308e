import Arrow
import Buffers

/// A list column's elements, one after the other, each with the row of its list.
public struct Exploded: Sendable {
  /// The row of the list, Int32 each: with them, other columns are taken along.
  public let rows: Buffer
  public let elements: ArrowArray
}

extension ArrowArray {
  /// All elements of a list, fixed-size list or map column; null lists have none.
  ///
  /// - Parameter keepingEmpty: whether a list that is null or empty yields one null element, so that no row is lost.
  /// - Precondition: the array is of such a type.
  public func exploded(keepingEmpty: Bool = false) -> Exploded {
    let child = children[0]
    var rows = BufferBuilder(capacity: child.count * 4)
    var positions = BufferBuilder(capacity: child.count * 4)
    var isContiguous = true
    var start: Int?
    for row in 0..<count {
      let range = isNull(row) ? 0..<0 : range(row)
      precondition(range.upperBound <= child.count, "offsets beyond their elements")
      if range.isEmpty {
        if !keepingEmpty { continue }
        rows.append(Int32(row))
        positions.append(Int32(-1))
        isContiguous = false
        continue
      }
      let first = start ?? range.lowerBound
      start = first
      isContiguous = isContiguous && range.lowerBound == first + positions.byteCount / 4
      for position in range {
        rows.append(Int32(truncatingIfNeeded: row))
        positions.append(Int32(truncatingIfNeeded: position))
      }
    }
    let total = positions.byteCount / 4
    let elements =
      isContiguous ? child.slice((start ?? 0)..<(start ?? 0) + total) : child.take(positions.finish())
    return Exploded(rows: rows.finish(), elements: elements)
  }
}

extension Buffer {
  /// Row n repeated `counts[n]` times, Int32 each, for Int32 counts: indices for `take`.
  public static func repeatIndices(_ counts: Buffer) -> Buffer {
    var output = BufferBuilder(capacity: counts.byteCount)
    for row in 0..<counts.byteCount / 4 {
      output.append(repeating: Int32(row), count: max(0, Int(counts.load(row, as: Int32.self))))
    }
    return output.finish()
  }
}
