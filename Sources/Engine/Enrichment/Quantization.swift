import Arrow
import Buffers
import Definitions

extension LookupColumn {
  /// The columns that are stored for the table's values: the values, or their quantised form.
  func outputs(of values: ArrowArray) -> [ArrowArray] {
    switch quantization {
    case nil: [values]
    case .float16: [values.quantizedToFloat16()]
    case .int8: values.quantizedToInt8()
    }
  }
}

extension ArrowArray {
  /// Lists of float32 as lists of the nearest float16.
  fileprivate func quantizedToFloat16() -> ArrowArray {
    guard case .fixedSizeList(let child) = storage else { preconditionFailure("\(type) is no fixed-size list") }
    var elements = BufferBuilder(capacity: child.count * 2)
    for index in 0..<child.count { elements.append(Float16(child.values.load(index, as: Float.self))) }
    return fixedSizeList(.float16, elements.finish(), childCount: child.count)
  }

  /// Lists of float32 as lists of round(x / scale), with scale = max|x| / 127, and the scales; a list of zeroes has scale 0.
  fileprivate func quantizedToInt8() -> [ArrowArray] {
    guard case .fixedSizeList(let child) = storage, count > 0 else {
      return [self.emptyInt8, ArrowArray(.float32, [Float?]())]
    }
    let length = child.count / count
    var elements = BufferBuilder(capacity: child.count)
    var scales = FixedWidthBuilder<Float>(capacity: count)
    for row in 0..<count {
      let values = (row * length..<(row + 1) * length).map { child.values.load($0, as: Float.self) }
      let scale = (values.map(abs).max() ?? 0) / 127
      for value in values { elements.append(Self.quantized(value, scale: scale)) }
      if isNull(row) { scales.appendNull() } else { scales.append(scale) }
    }
    return [fixedSizeList(.int8, elements.finish(), childCount: child.count), scales.take(as: .float32)]
  }

  /// An element that is no number becomes 0.
  private static func quantized(_ value: Float, scale: Float) -> Int8 {
    let steps = (value / scale).rounded()
    return steps.isFinite ? Int8(max(-127, min(127, steps))) : 0
  }

  private var emptyInt8: ArrowArray { fixedSizeList(.int8, .empty, childCount: 0) }

  private func fixedSizeList(_ element: DataType, _ elements: Buffer, childCount: Int) -> ArrowArray {
    guard case .fixedSizeList(_, let length) = type else { preconditionFailure("\(type) is no fixed-size list") }
    let child = ArrowArray(element, count: childCount, storage: .fixed(elements))
    return ArrowArray(
      .fixedSizeList(Field("item", element), count: length), count: count, validity: validity,
      storage: .fixedSizeList(child: child))
  }
}
