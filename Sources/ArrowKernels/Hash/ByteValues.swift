import Arrow
import Buffers
import Glibc

/// Arrays of one type whose values are bare byte strings, side by side, for comparisons by memory.
struct ByteValues: ~Copyable {
  /// Whether the type is of that kind: fixed width, text, or fixed-size lists of fixed width without nulls.
  var areBare: Bool { nestedCount == 0 }
  private var nestedCount = 0
  private var isNested: [Bool] = []
  private var offsets = BufferTable()
  private var data = BufferTable()
  /// Bytes per value; 0 when offsets say.
  private var width = 0

  mutating func append(_ array: ArrowArray) {
    let layout = Self.layout(array)
    isNested.append(layout == nil)
    nestedCount += layout == nil ? 1 : 0
    if let layout { width = layout.width }
    offsets.append(layout?.offsets ?? .empty)
    data.append(layout?.data ?? .empty)
  }

  private static func layout(_ array: ArrowArray) -> (width: Int, offsets: Buffer, data: Buffer)? {
    switch array.storage {
    case .fixed(let values): return (array.type.byteWidth!, .empty, values)
    case .variable(let offsets, let data):
      precondition(
        array.valueRange.lowerBound >= 0 && array.valueRange.upperBound <= data.byteCount, "offsets beyond data")
      return (0, offsets, data)
    case .fixedSizeList(let child):
      guard case .fixed(let values) = child.storage, child.nullCount == 0,
        case .fixedSizeList(_, let length) = array.type, length > 0
      else { return nil }
      return (child.type.byteWidth! * length, .empty, values)
    default: return nil
    }
  }

  mutating func removeLast() {
    nestedCount -= isNested.removeLast() ? 1 : 0
    offsets.removeLast()
    data.removeLast()
  }

  /// Whether values are so wide that comparing them waits for memory.
  var areWide: Bool { areBare && width >= 64 }

  /// Has a wide value loaded.
  @inline(__always) func prefetch(_ value: RowReference) {
    data.prefetch(Int(value.source), byteOffset: Int(value.row) &* width, byteCount: width)
  }

  /// - Precondition: both name a value, and `areBare`.
  @inline(__always) func isEqual(_ a: RowReference, _ b: RowReference) -> Bool {
    if width == 8 {
      return unsafe data.load(Int(a.source), Int(a.row), as: UInt64.self)
        == data.load(Int(b.source), Int(b.row), as: UInt64.self)
    }
    if width > 0 {
      return unsafe memcmp(
        data.pointer(Int(a.source), byteOffset: Int(a.row) &* width),
        data.pointer(Int(b.source), byteOffset: Int(b.row) &* width), width) == 0
    }
    let (start, end) = range(a)
    let (otherStart, otherEnd) = range(b)
    guard end &- start == otherEnd &- otherStart else { return false }
    return unsafe memcmp(
      data.pointer(Int(a.source), byteOffset: start), data.pointer(Int(b.source), byteOffset: otherStart), end &- start)
      == 0
  }

  @inline(__always) private func range(_ value: RowReference) -> (Int, Int) {
    let (source, row) = (Int(value.source), Int(value.row))
    return unsafe (Int(offsets.load(source, row, as: Int32.self)), Int(offsets.load(source, row &+ 1, as: Int32.self)))
  }
}
