import Arrow
import Buffers

// One concrete loop per pair of widths; the types are looked at once per array.
extension ArrowArray {
  /// Integers as integers of `target`'s width, and which of them fit.
  func castIntegers(to target: DataType) -> (values: Buffer, fits: Bitmap) {
    switch type {
    case .int8: integers(Int8.self, to: target)
    case .uint8: integers(UInt8.self, to: target)
    case .int16: integers(Int16.self, to: target)
    case .uint16: integers(UInt16.self, to: target)
    case .int32: integers(Int32.self, to: target)
    case .uint32: integers(UInt32.self, to: target)
    case .int64: integers(Int64.self, to: target)
    default: integers(UInt64.self, to: target)
    }
  }

  private func integers<From: FixedWidthInteger & BitwiseCopyable>(
    _ from: From.Type, to target: DataType
  ) -> (values: Buffer, fits: Bitmap) {
    switch target {
    case .int8: narrow(from, to: Int8.self)
    case .uint8: narrow(from, to: UInt8.self)
    case .int16: narrow(from, to: Int16.self)
    case .uint16: narrow(from, to: UInt16.self)
    case .int32: narrow(from, to: Int32.self)
    case .uint32: narrow(from, to: UInt32.self)
    case .int64: narrow(from, to: Int64.self)
    default: narrow(from, to: UInt64.self)
    }
  }

  @inline(__always)
  private func narrow<From: FixedWidthInteger & BitwiseCopyable, To: FixedWidthInteger & BitwiseCopyable>(
    _ from: From.Type, to: To.Type
  ) -> (values: Buffer, fits: Bitmap) {
    var fits = BitmapBuilder(capacity: count)
    let values = mapValues(from) { value in
      let result = To(truncatingIfNeeded: value)
      fits.append(From(truncatingIfNeeded: result) == value && (result < 0) == (value < 0))
      return result
    }
    return (values, fits.finish())
  }

  /// A time column's values times `multiplier`, divided by `divisor` and rounded down, as Int64, and which of them fit.
  func scaled(multiplier: Int64, divisor: Int64) -> (values: Buffer, fits: Bitmap) {
    switch type {
    case .date32: scaled(Int32.self, multiplier, divisor)
    default: scaled(Int64.self, multiplier, divisor)
    }
  }

  @inline(__always)
  private func scaled<From: FixedWidthInteger & BitwiseCopyable>(
    _ from: From.Type, _ multiplier: Int64, _ divisor: Int64
  ) -> (values: Buffer, fits: Bitmap) {
    var fits = BitmapBuilder(capacity: count)
    let values = mapValues(from) { value in
      let (product, overflow) = Int64(truncatingIfNeeded: value).multipliedReportingOverflow(by: multiplier)
      fits.append(!overflow)
      let quotient = product / divisor
      return quotient &- (product % divisor < 0 ? 1 : 0)
    }
    return (values, fits.finish())
  }

  func castIntegersToFloats(_ target: DataType) -> ArrowArray {
    let values =
      switch type {
      case .int8: floats(Int8.self, target)
      case .uint8: floats(UInt8.self, target)
      case .int16: floats(Int16.self, target)
      case .uint16: floats(UInt16.self, target)
      case .int32: floats(Int32.self, target)
      case .uint32: floats(UInt32.self, target)
      case .int64: floats(Int64.self, target)
      default: floats(UInt64.self, target)
      }
    return ArrowArray(target, count: count, validity: validity, storage: .fixed(values))
  }

  private func floats<From: FixedWidthInteger & BitwiseCopyable>(_ from: From.Type, _ target: DataType) -> Buffer {
    switch target {
    case .float16: mapValues(from) { Float16($0) }
    case .float32: mapValues(from) { Float($0) }
    default: mapValues(from) { Double($0) }
    }
  }

  func castFloats(to target: DataType) -> ArrowArray {
    let values =
      switch (type, target) {
      case (.float16, .float32): mapValues(Float16.self) { Float($0) }
      case (.float16, _): mapValues(Float16.self) { Double($0) }
      case (.float32, .float16): mapValues(Float.self) { Float16($0) }
      case (.float32, _): mapValues(Float.self) { Double($0) }
      case (_, .float16): mapValues(Double.self) { Float16($0) }
      default: mapValues(Double.self) { Float($0) }
      }
    return ArrowArray(target, count: count, validity: validity, storage: .fixed(values))
  }

  @inline(__always)
  private func mapValues<From: BitwiseCopyable, To: BitwiseCopyable>(
    _ from: From.Type, _ convert: (From) -> To
  ) -> Buffer {
    let source = values
    precondition(source.byteCount >= count * MemoryLayout<From>.stride, "\(source.byteCount) bytes for \(count) values")
    var output = BufferBuilder(capacity: count * MemoryLayout<To>.stride)
    unsafe output.appendUnsafely(capacity: count * MemoryLayout<To>.stride) { memory in
      let target = unsafe memory.assumingMemoryBound(to: To.self)
      for row in 0..<count { unsafe target[row] = convert(source.load(unchecked: row, as: From.self)) }
      return memory.count
    }
    return output.finish()
  }
}
