import Arrow
import ArrowKernels
import Buffers

/// Rows of a column as the writer takes them: no dictionary, unless of lists, whose values are too wide to be copied for
/// every row.
struct ColumnRows {
  /// A value per row; with `indices` the values of a dictionary.
  let values: ArrowArray
  /// Where each row's value lies in `values`, Int32, -1 for null; nil when row by row.
  let indices: Buffer?
  /// The rows, in `values` or `indices`.
  let range: Range<Int>
  let hasNulls: Bool

  init(_ array: ArrowArray, _ range: Range<Int>) {
    guard case .dictionary(_, let dictionary) = array.storage else {
      (values, indices, self.range, hasNulls) = (array, nil, range, array.nullCount > 0)
      return
    }
    let rows = array.slice(range)
    self.range = 0..<range.count
    switch dictionary.storage {
    case .list where dictionary.nullCount == 0, .fixedSizeList where dictionary.nullCount == 0:
      (values, indices, hasNulls) = (dictionary, rows.dictionaryIndices(), rows.nullCount > 0)
    default:
      (values, indices) = (rows.decoded, nil)
      hasNulls = values.nullCount > 0
    }
  }

  /// The rows `range` as an array.
  func slice(_ range: Range<Int>) -> ArrowArray {
    guard let indices else { return values.slice(range) }
    return values.take(indices.slice(range.lowerBound * 4..<range.upperBound * 4))
  }

  /// How many bytes the rows `range` take as PLAIN values, at most; nil where that is not seen at once.
  func plainByteCount(_ range: Range<Int>) -> Int? {
    if indices == nil { return values.plainByteCount(range) }
    guard case .fixedSizeList = values.storage, values.count > 0 else { return nil }
    return values.plainByteCount(0..<1).map { $0 * range.count }
  }
}

extension ArrowArray {
  fileprivate func plainByteCount(_ range: Range<Int>) -> Int? {
    switch storage {
    case .null: 0
    case .boolean: range.count
    // Small integers become Int32.
    case .fixed: range.count * max(4, type.byteWidth ?? 16)
    case .variable, .list, .fixedSizeList:
      if range.isEmpty {
        0
      } else {
        elementByteCount(self.range(range.lowerBound).lowerBound..<self.range(range.upperBound - 1).upperBound)
      }
    case .structure, .dictionary: nil
    }
  }

  /// Of the bytes or elements `range` of the data or child.
  private func elementByteCount(_ range: Range<Int>) -> Int? {
    children.first.map { $0.plainByteCount(range) } ?? range.count
  }
}
