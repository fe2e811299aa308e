import Arrow
import Buffers
import Glibc

extension Comparison {
  /// Compares texts with a constant by bytes, which is by code points.
  func textBits(_ array: ArrowArray, with constant: [UInt8]) -> Bitmap {
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    if isEquality {
      let equal = TextConstant(constant).bits(values)
      return self == .equal ? equal : equal.inverted()
    }
    return values.bits { row in
      unsafe values.withBytes(row) { value in
        unsafe constant.withUnsafeBytes { unsafe holds(compareBytes(value, $0), 0) }
      }
    }
  }

  func textBits(_ left: ArrowArray, _ right: ArrowArray) -> Bitmap {
    let (leftOffsets, leftData) = (left.offsets.aligned(for: Int32.self), left.data)
    let (rightOffsets, rightData) = (right.offsets.aligned(for: Int32.self), right.data)
    let first = TextValues(offsets: leftOffsets, data: leftData, count: left.count)
    let second = TextValues(offsets: rightOffsets, data: rightData, count: right.count)
    return first.bits { row in
      if isEquality, first.byteCount(row) != second.byteCount(row) { return self == .notEqual }
      return unsafe first.withBytes(row) { left in
        unsafe second.withBytes(row) { right in holds(unsafe compareBytes(left, right), 0) }
      }
    }
  }
}

/// Below, at or above 0 as the first is less than, equal to or greater than the second.
@inline(__always) func compareBytes(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
  let shared = min(first.count, second.count)
  if shared > 0 {
    let order = unsafe memcmp(first.baseAddress!, second.baseAddress!, shared)
    if order != 0 { return Int(order) }
  }
  return first.count - second.count
}
