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
  /// Lists of float32 or float64 as lists of the nearest float16.
  fileprivate func quantizedToFloat16() -> ArrowArray {
    let elements = floatElements
    var output = BufferBuilder(capacity: elements.values.count * 2)
    for element in elements.values { output.append(Float16(element)) }
    return fixedSizeList(.float16, output.finish(), elements.validity)
  }

  /// Lists as lists of round(x / scale), with scale = max|x| / 127 over the finite elements, and the scales.
  ///
  /// A list of zeroes has scale 0. An element that is no number becomes 0, an infinite one the largest of its sign.
  fileprivate func quantizedToInt8() -> [ArrowArray] {
    let elements = floatElements
    let length = count == 0 ? 0 : elements.values.count / count
    var output = BufferBuilder(capacity: elements.values.count)
    var scales = FixedWidthBuilder<Float>(capacity: count)
    for row in 0..<count {
      let values = elements.values[row * length..<(row + 1) * length]
      let scale = Float((values.lazy.map(abs).filter(\.isFinite).max() ?? 0) / 127)
      for value in values { output.append(Self.quantized(value, scale: Double(scale))) }
      if isNull(row) { scales.appendNull() } else { scales.append(scale) }
    }
    return [fixedSizeList(.int8, output.finish(), elements.validity), scales.take(as: .float32)]
  }

  private static func quantized(_ value: Double, scale: Double) -> Int8 {
    let steps = (value / scale).rounded()
    return steps.isNaN ? 0 : Int8(max(-127, min(127, steps)))
  }

  /// The elements of all lists; 0 where an element is null.
  private var floatElements: (values: [Double], validity: Bitmap?) {
    guard case .fixedSizeList(let child) = storage else { preconditionFailure("\(type) is no fixed-size list") }
    let isDouble = child.type == .float64
    let values = (0..<child.count).map { index in
      guard child.isValid(index) else { return 0.0 }
      return isDouble ? child.values.load(index, as: Double.self) : Double(child.values.load(index, as: Float.self))
    }
    return (values, child.validity)
  }

  private func fixedSizeList(_ element: DataType, _ elements: Buffer, _ elementValidity: Bitmap?) -> ArrowArray {
    guard case .fixedSizeList(let item, let length) = type, case .fixedSizeList(let old) = storage else {
      preconditionFailure("\(type) is no fixed-size list")
    }
    let child = ArrowArray(element, count: old.count, validity: elementValidity, storage: .fixed(elements))
    return ArrowArray(
      .fixedSizeList(Field("item", element, isNullable: item.isNullable), count: length), count: count,
      validity: validity, storage: .fixedSizeList(child: child))
  }
}
