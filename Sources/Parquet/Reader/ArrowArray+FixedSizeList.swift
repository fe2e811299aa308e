import Arrow
import ArrowKernels
import Buffers

extension ArrowArray {
  /// A list column as lists of `length` elements each, for Parquet knows no lists of fixed length.
  ///
  /// It shares this array's memory, unless null lists must be given the elements that Arrow's layout wants.
  /// - Returns: nil when a list that is there has another length, or this is no list.
  package func fixedSizeList(length: Int) -> ArrowArray? {
    guard case .list(let element) = type, case .list(let offsets, let child) = storage else { return nil }
    let type = DataType.fixedSizeList(element, count: length)
    let bounds = offsets.span(of: Int32.self)
    var isDense = true
    for index in 0..<count where Int(bounds[index + 1] - bounds[index]) != length {
      guard isNull(index) else { return nil }
      isDense = false
    }
    let elements =
      isDense
      ? child.slice(Int(bounds[0])..<Int(bounds[0]) + count * length)
      : spread(child, bounds, length: length, element.type)
    return ArrowArray(type, count: count, validity: validity, storage: .fixedSizeList(child: elements))
  }

  /// The elements of each list, and for each null as many of any value.
  private func spread(_ child: ArrowArray, _ bounds: Span<Int32>, length: Int, _ type: DataType) -> ArrowArray {
    guard child.count >= length else { return ArrowArray(nulls: type, count: count * length) }
    var indices = BufferBuilder(capacity: count * length * 4)
    for index in 0..<count {
      let start = isNull(index) ? 0 : bounds[index]
      for element in start..<start + Int32(length) { indices.append(element) }
    }
    return child.take(indices.finish())
  }
}
