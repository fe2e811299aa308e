import Arrow
import Buffers

/// A set of texts, found by hash of their length and first bytes; a few are compared one by one.
struct TextSet: Sendable {
  private let constants: [TextConstant]
  /// The place of a constant plus one, by hash; 0 where free. A power of two, at least four times the constants.
  private var slots: [Int32]

  init(_ texts: [[UInt8]]) {
    constants = Array(Set(texts)).map { TextConstant($0) }
    var slotCount = 4
    while slotCount < constants.count * 4 { slotCount *= 2 }
    slots = Array(repeating: 0, count: slotCount)
    for (place, constant) in constants.enumerated() {
      var slot = Self.hash(constant.head, constant.bytes.count) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = Int32(place + 1)
    }
  }

  /// - Parameter head: the first 8 bytes, zero past the end.
  @inline(__always) private static func hash(_ head: UInt64, _ byteCount: Int) -> Int {
    let mixed = (head ^ UInt64(truncatingIfNeeded: byteCount)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 32)
  }

  /// One bit per value: whether it is an element.
  func bits(_ array: ArrowArray) -> Bitmap {
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    if constants.count <= 3 {
      var found = Bitmap(repeating: false, count: array.count)
      for constant in constants { found = found.or(constant.bits(values)) }
      return found
    }
    let fast = values.readableRows(16)
    return values.bits { row in
      row < fast ? contains(values, row) : constants.contains { $0.equalsSlowly(values, row) }
    }
  }

  /// - Precondition: 16 bytes are readable from the value's start.
  @inline(__always) private func contains(_ values: borrowing TextValues, _ row: Int) -> Bool {
    let length = values.byteCount(row)
    let mask: UInt64 = length >= 8 ? .max : (1 &<< UInt64(truncatingIfNeeded: length &* 8)) &- 1
    var slot = Self.hash(values.word(row) & mask, length) & (slots.count &- 1)
    while slots[slot] != 0 {
      if constants[Int(slots[slot]) &- 1].equals(values, row) { return true }
      slot = (slot &+ 1) & (slots.count &- 1)
    }
    return false
  }
}
