import Arrow
import Buffers

extension ArrowArray {
  /// The values of an integer or timestamp column as Int64; null places hold 0 or anything.
  var widenedIntegers: [Int64] {
    func widen<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> [Int64] {
      (0..<count).map { Int64(truncatingIfNeeded: values.load($0, as: Value.self)) }
    }
    switch type {
    case .int8: return widen(Int8.self)
    case .uint8: return widen(UInt8.self)
    case .int16: return widen(Int16.self)
    case .uint16: return widen(UInt16.self)
    case .int32: return widen(Int32.self)
    case .uint32: return widen(UInt32.self)
    case .int64, .uint64, .timestamp: return widen(Int64.self)
    default: preconditionFailure("\(type) holds no integers")
    }
  }
}
