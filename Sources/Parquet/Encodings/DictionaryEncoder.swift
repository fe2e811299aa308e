import ArrowKernels
import Buffers
import Glibc

/// Numbers the distinct values of a column chunk in order of first appearance.
///
/// Values are compared by their bytes, so NaNs of different bits differ, and so do 0.0 and -0.0.
@safe struct DictionaryEncoder: ~Copyable {
  /// Bytes per value; 0 for byte arrays.
  private let width: Int
  /// The distinct values' bytes, and for byte arrays where each ends.
  private var data = BufferBuilder()
  private var ends = BufferBuilder()
  private var hashes: [UInt32] = []
  /// Numbers plus one by hash, 0 where free; a power of two of them.
  private var slots: [UInt32]

  init(width: Int) {
    self.width = width
    slots = Array(repeating: 0, count: 256)
  }

  var count: Int { hashes.count }

  /// Bytes of the dictionary page before compression.
  var byteCount: Int { data.byteCount + ends.byteCount }

  /// The numbers of fixed-width `values`, appended as UInt32 to `numbers`.
  mutating func encode(fixed values: RawSpan, into numbers: inout BufferBuilder) {
    unsafe values.withUnsafeBytes { values in
      guard let base = values.baseAddress else { return }
      let width = width
      for index in 0..<values.count / width {
        numbers.append(unsafe number(of: base + index &* width, width))
      }
    }
  }

  mutating func encode(_ values: borrowing ByteArrays, into numbers: inout BufferBuilder) {
    for index in 0..<values.count {
      unsafe values.bytes(index).withUnsafeBytes { bytes in
        let start = unsafe bytes.baseAddress ?? Self.nowhere
        numbers.append(unsafe number(of: start, bytes.count))
      }
    }
  }

  private static var nowhere: UnsafeRawPointer { unsafe UnsafeRawPointer(bitPattern: 1)! }

  @inline(__always)
  private mutating func number(of value: UnsafeRawPointer, _ byteCount: Int) -> UInt32 {
    let hash = UInt32(truncatingIfNeeded: unsafe Self.hash(value, byteCount))
    let mask = slots.count &- 1
    var slot = Int(hash) & mask
    while slots[slot] != 0 {
      let candidate = slots[slot] &- 1
      if unsafe hashes[Int(candidate)] == hash && isValue(Int(candidate), value, byteCount) { return candidate }
      slot = (slot &+ 1) & mask
    }
    return unsafe insert(value, byteCount, hash, slot)
  }

  @inline(__always) private static func hash(_ value: UnsafeRawPointer, _ byteCount: Int) -> UInt64 {
    switch byteCount {
    case 8:
      let product = (unsafe value.loadUnaligned(as: UInt64.self) ^ 0xA076_1D64_78BD_642F)
        .multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
      return product.high ^ product.low
    case 4:
      let product = (UInt64(unsafe value.loadUnaligned(as: UInt32.self)) ^ 0xA076_1D64_78BD_642F)
        .multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
      return product.high ^ product.low
    case 0: return 0
    default: return unsafe Hash64.of(value, count: byteCount)
    }
  }

  @inline(__always)
  private func isValue(_ number: Int, _ value: UnsafeRawPointer, _ byteCount: Int) -> Bool {
    unsafe data.bytes.withUnsafeBytes { data in
      var start = number &* width
      if width == 0 {
        unsafe ends.bytes.withUnsafeBytes { ends in
          let ends = unsafe ends.assumingMemoryBound(to: Int32.self)
          start = number == 0 ? 0 : Int(unsafe ends[number &- 1])
        }
        guard end(number) &- start == byteCount else { return false }
      }
      return unsafe byteCount == 0 || memcmp(data.baseAddress! + start, value, byteCount) == 0
    }
  }

  @inline(__always) private func end(_ number: Int) -> Int {
    unsafe ends.bytes.withUnsafeBytes { Int(unsafe $0.load(fromByteOffset: number &* 4, as: Int32.self)) }
  }

  private mutating func insert(_ value: UnsafeRawPointer, _ byteCount: Int, _ hash: UInt32, _ slot: Int) -> UInt32 {
    let number = UInt32(count)
    if byteCount > 0 { data.append(unsafe RawSpan(_unsafeStart: value, byteCount: byteCount)) }
    if width == 0 { ends.append(Int32(data.byteCount)) }
    hashes.append(hash)
    slots[slot] = number + 1
    if count * 2 > slots.count { grow() }
    return number
  }

  private mutating func grow() {
    let mask = slots.count * 2 - 1
    slots = Array(repeating: 0, count: slots.count * 2)
    for (number, hash) in hashes.enumerated() {
      var slot = Int(hash) & mask
      while slots[slot] != 0 { slot = (slot &+ 1) & mask }
      slots[slot] = UInt32(number) + 1
    }
  }

  /// The dictionary page: the values, PLAIN.
  func encodeValues(into output: inout BufferBuilder) {
    guard width == 0 else { return output.append(data.bytes) }
    unsafe ends.bytes.withUnsafeBytes { ends in
      let ends = unsafe Span<Int32>(_unsafeElements: ends.assumingMemoryBound(to: Int32.self))
      PlainByteArrayEncoder.encode(ByteArrays(ends: ends, data: data.bytes), into: &output)
    }
  }
}
