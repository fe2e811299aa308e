import Arrow
import ArrowKernels
import Buffers

/// The bit pattern of a Bool as a number: no branch.
@inline(__always) func bit(_ condition: Bool) -> UInt64 { UInt64(unsafe unsafeBitCast(condition, to: UInt8.self)) }

/// One bit per value: whether `test` holds.
@inline(__always) func testBits<T: BitwiseCopyable>(_ values: Buffer, count: Int, _ test: (T) -> Bool) -> Bitmap {
  let values = values.aligned(for: T.self)
  let lanes = values.span(of: T.self)
  precondition(lanes.count >= count, "\(lanes.count) of \(count) values")
  var words = BufferBuilder(capacity: (count + 63) / 64 * 8)
  var start = 0
  while start < count {
    let length = min(64, count &- start)
    var word: UInt64 = 0
    if length == 64 {
      for place in 0..<64 { word |= bit(test(unsafe lanes[unchecked: start &+ place])) &<< UInt64(place) }
    } else {
      for place in 0..<length { word |= bit(test(unsafe lanes[unchecked: start &+ place])) &<< UInt64(place) }
    }
    words.append(word)
    start &+= 64
  }
  return Bitmap(words.finish(), count: count)
}

/// One bit per pair of values: whether `test` holds.
@inline(__always) func testBits<T: BitwiseCopyable>(
  _ left: Buffer, _ right: Buffer, count: Int, _ test: (T, T) -> Bool
) -> Bitmap {
  let (left, right) = (left.aligned(for: T.self), right.aligned(for: T.self))
  let (first, second) = (left.span(of: T.self), right.span(of: T.self))
  precondition(first.count >= count && second.count >= count, "fewer than \(count) values")
  var words = BufferBuilder(capacity: (count + 63) / 64 * 8)
  var start = 0
  while start < count {
    var word: UInt64 = 0
    for place in 0..<min(64, count &- start) {
      let row = start &+ place
      word |= bit(test(unsafe first[unchecked: row], unsafe second[unchecked: row])) &<< UInt64(place)
    }
    words.append(word)
    start &+= 64
  }
  return Bitmap(words.finish(), count: count)
}

/// `change` of every value.
@inline(__always) func mapLanes<T: BitwiseCopyable, U: BitwiseCopyable>(
  _ values: Buffer, count: Int, _ change: (T) -> U
) -> Buffer {
  let values = values.aligned(for: T.self)
  let lanes = values.span(of: T.self)
  precondition(lanes.count >= count, "\(lanes.count) of \(count) values")
  var output = BufferBuilder(capacity: count * MemoryLayout<U>.stride)
  output.append(capacity: count, of: U.self) { output in
    for row in 0..<count { output.append(change(unsafe lanes[unchecked: row])) }
  }
  return output.finish()
}

/// `combine` of every pair of values.
@inline(__always) func mapLanes<T: BitwiseCopyable, U: BitwiseCopyable>(
  _ left: Buffer, _ right: Buffer, count: Int, _ combine: (T, T) -> U
) -> Buffer {
  let (left, right) = (left.aligned(for: T.self), right.aligned(for: T.self))
  let (first, second) = (left.span(of: T.self), right.span(of: T.self))
  precondition(first.count >= count && second.count >= count, "fewer than \(count) values")
  var output = BufferBuilder(capacity: count * MemoryLayout<U>.stride)
  output.append(capacity: count, of: U.self) { output in
    for row in 0..<count { output.append(combine(unsafe first[unchecked: row], unsafe second[unchecked: row])) }
  }
  return output.finish()
}

extension Buffer {
  /// The same bytes at an address that is right for `T`.
  @inline(__always) func aligned<T>(for type: T.Type) -> Buffer {
    isAligned(to: MemoryLayout<T>.alignment) ? self : Buffer(copying: bytes)
  }
}

extension ArrowArray {
  /// Int64, UInt64 or Double values, as CEL computes; nil for other types.
  var numberLanes: ArrowArray? {
    switch type {
    case .int64, .uint64, .float64: self
    case .int8, .int16, .int32: try? cast(to: .int64)
    case .uint8, .uint16, .uint32: try? cast(to: .uint64)
    case .float16, .float32: try? cast(to: .float64)
    default: nil
    }
  }

  /// Points or lengths of time as 64-bit counts of a unit; nil for other types.
  var timeLanes: (ticks: Buffer, unit: TimeUnit)? {
    switch type {
    case .timestamp(let unit, _), .duration(let unit): (values, unit)
    case .date64: (values, .milli)
    case .date32:
      (mapLanes(values, count: count) { (days: Int32) in Int64(days) &* 86_400 }, .second)
    default: nil
    }
  }
}
