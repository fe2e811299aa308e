import Arrow
import Buffers

/// The constants of `value in [constants]`, as the kernels look them up.
struct ConstantSet: Sendable {
  let elements: [CELValue]
  /// The whole numbers, ascending; nil when a double is among the elements.
  private let numbers: [Int128]?
  private let texts: TextSet
  private let bytes: TextSet

  init(_ elements: [CELValue]) {
    self.elements = elements
    numbers = Self.wholeNumbers(elements).map { Array(Set($0)).sorted() }
    texts = TextSet(elements.compactMap { if case .string(let text) = $0 { Array(text.utf8) } else { nil } })
    bytes = TextSet(elements.compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } })
  }

  private static func wholeNumbers(_ elements: [CELValue]) -> [Int128]? {
    var numbers: [Int128] = []
    for element in elements {
      switch element {
      case .int(let number): numbers.append(Int128(number))
      case .uint(let number): numbers.append(Int128(number))
      case .double: return nil
      default: continue
      }
    }
    return numbers
  }

  func contains(_ value: CELValue) -> Bool { elements.contains { $0.equals(value) } }

  /// One bit per value, nulls aside: whether it is an element; nil where no kernel says.
  func bits(_ array: ArrowArray) -> Bitmap? {
    switch array.type {
    case .utf8: return texts.bits(array)
    case .binary: return bytes.bits(array)
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
      guard let numbers, let lanes = array.numberLanes else { return nil }
      return lanes.type == .int64
        ? bits(lanes, among: numbers.compactMap { Int64(exactly: $0) })
        : bits(lanes, among: numbers.compactMap { UInt64(exactly: $0) })
    default: return nil
    }
  }

  /// - Parameter numbers: ascending.
  @inline(__always) private func bits<T: FixedWidthInteger & BitwiseCopyable>(
    _ lanes: ArrowArray, among numbers: [T]
  ) -> Bitmap {
    let numbers = numbers.span
    if numbers.count <= 8 {
      return testBits(lanes.values, count: lanes.count) { (value: T) in
        var hits: UInt64 = 0
        for place in 0..<numbers.count { hits |= bit(value == (unsafe numbers[unchecked: place])) }
        return hits == 1
      }
    }
    return testBits(lanes.values, count: lanes.count) { (value: T) in
      var start = 0
      var length = numbers.count
      while length > 1 {
        let half = length &>> 1
        start &+= Int(bitPattern: UInt(bit((unsafe numbers[unchecked: start &+ half]) <= value))) &* half
        length &-= half
      }
      return (unsafe numbers[unchecked: start]) == value
    }
  }
}
