/// Integers, findable by their place, in as few bytes each as their range needs: 1, 2, 4 or 8. What all of them have in common,
/// a least value and a unit of 1 000, is held once: times of a few days in whole milliseconds take 4 bytes.
package struct PackedIntegers: Sendable {
  private let base: Int64
  private let unit: UInt64
  private let width: Int
  private let bytes: Buffer

  package init(_ values: [Int64]) {
    let base = values.min() ?? 0
    let areThousands = values.allSatisfy { UInt64(bitPattern: $0 &- base).isMultiple(of: 1_000) }
    let unit: UInt64 = areThousands ? 1_000 : 1
    let largest = UInt64(bitPattern: (values.max() ?? 0) &- base) / unit
    width = largest < 1 << 8 ? 1 : largest < 1 << 16 ? 2 : largest < 1 << 32 ? 4 : 8
    (self.base, self.unit) = (base, unit)
    var bytes = BufferBuilder(capacity: values.count * width)
    for value in values {
      let number = UInt64(bitPattern: value &- base) / unit
      switch width {
      case 1: bytes.append(UInt8(number))
      case 2: bytes.append(UInt16(number))
      case 4: bytes.append(UInt32(number))
      default: bytes.append(number)
      }
    }
    self.bytes = bytes.finish()
  }

  package var byteCount: Int { bytes.byteCount }

  package subscript(place: Int) -> Int64 {
    let number =
      switch width {
      case 1: UInt64(bytes.load(place, as: UInt8.self))
      case 2: UInt64(bytes.load(place, as: UInt16.self))
      case 4: UInt64(bytes.load(place, as: UInt32.self))
      default: bytes.load(place, as: UInt64.self)
      }
    return base &+ Int64(bitPattern: number &* unit)
  }
}
