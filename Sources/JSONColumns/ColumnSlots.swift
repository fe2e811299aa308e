import Arrow
import Buffers
import Glibc

/// The growing memory of one column, or of the list that holds columns: one slot per row.
///
/// A slot nobody wrote is null and zero, so a row costs only what it holds. Strings and lists also keep where each row
/// ends; that is written when the row is committed.
@safe struct ColumnSlots: BitwiseCopyable {
  // SAFETY: the pointers own memory for `capacity` rows (and `dataCapacity` bytes of data) plus 64 bytes each; rows are
  // written below `capacity`, which `JSONColumnsDecoder` raises before it walks. `release` frees them once.

  /// Values of `width` bytes each, zero where there is none; nil when `width` is 0.
  private var values: UnsafeMutableRawPointer?
  /// A byte per row: 1 where there is a value.
  private var presence: UnsafeMutablePointer<UInt8>
  /// Where each row ends in the data or the elements, after a leading 0.
  private var ends: UnsafeMutablePointer<Int32>?
  private var data: UnsafeMutableRawPointer?
  private var dataCapacity = 0
  private var capacity = 0
  let width: Int
  /// How many bytes of data, or elements, there are so far.
  var end = 0

  enum Layout {
    case fixed(width: Int)
    case text, list
  }

  init(_ layout: Layout) {
    width = if case .fixed(let width) = layout { width } else { 0 }
    unsafe presence = Self.zeroes(0).assumingMemoryBound(to: UInt8.self)
    if case .fixed = layout {
      unsafe values = Self.zeroes(0)
      return
    }
    unsafe ends = Self.zeroes(4).assumingMemoryBound(to: Int32.self)
    if case .text = layout { unsafe data = Self.zeroes(0) }
  }

  func release() {
    unsafe free(values)
    unsafe free(presence)
    unsafe free(ends)
    unsafe free(data)
  }

  var hasEnds: Bool { unsafe ends != nil }

  // MARK: Writing

  @inline(__always) func isPresent(_ row: Int) -> Bool { unsafe presence[row] != 0 }

  @inline(__always) func mark(_ row: Int) { unsafe presence[row] = 1 }

  @inline(__always) func store<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
    unsafe values.unsafelyUnwrapped.storeBytes(
      of: value, toByteOffset: row &* MemoryLayout<Value>.stride, as: Value.self)
    unsafe presence[row] = 1
  }

  /// Writes element `index` of the row's fixed-size list.
  @inline(__always) func store<Value: BitwiseCopyable>(_ value: Value, _ row: Int, element index: Int) {
    let offset = row &* width &+ index &* MemoryLayout<Value>.stride
    unsafe values.unsafelyUnwrapped.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  /// Where the row's data goes; there is room for what the decoder reserved.
  @inline(__always) func room() -> UnsafeMutablePointer<UInt8> {
    unsafe (data.unsafelyUnwrapped + end).assumingMemoryBound(to: UInt8.self)
  }

  /// The end of the row before.
  @inline(__always) func start(_ row: Int) -> Int { Int(unsafe ends.unsafelyUnwrapped[row]) }

  @inline(__always) func close(_ row: Int) { unsafe ends.unsafelyUnwrapped[row &+ 1] = Int32(truncatingIfNeeded: end) }

  /// Makes a slot null again.
  @inline(never) mutating func clear(_ row: Int) {
    unsafe presence[row] = 0
    if let values = unsafe values { unsafe memset(values + row * width, 0, width) }
    if let ends = unsafe ends { end = Int(unsafe ends[row]) }
  }

  // MARK: Room

  mutating func reserve(rows: Int) {
    guard rows > capacity else { return }
    let larger = (max(rows, capacity * 2) + 63) & ~63
    if width > 0 { unsafe values = Self.grow(values, from: capacity * width, to: larger * width) }
    unsafe presence = Self.grow(presence, from: capacity, to: larger).assumingMemoryBound(to: UInt8.self)
    if let old = unsafe ends {
      unsafe ends = Self.grow(old, from: (capacity + 1) * 4, to: (larger + 1) * 4).assumingMemoryBound(to: Int32.self)
    }
    capacity = larger
  }

  mutating func reserve(data byteCount: Int) {
    guard let old = unsafe data, end + byteCount > dataCapacity else { return }
    let larger = max(end + byteCount, dataCapacity * 2)
    let memory = unsafe Self.memory(larger)
    unsafe memcpy(memory, old, end)
    unsafe free(old)
    unsafe data = memory
    dataCapacity = larger
  }

  private static func memory(_ byteCount: Int) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    let size = (byteCount + 127) & ~63
    guard unsafe posix_memalign(&memory, 64, size) == 0, let memory = unsafe memory else {
      fatalError("out of memory for \(size) bytes")
    }
    return unsafe memory
  }

  private static func zeroes(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = unsafe Self.memory(byteCount)
    unsafe memset(memory, 0, byteCount)
    return unsafe memory
  }

  private static func grow(_ old: UnsafeMutableRawPointer?, from: Int, to: Int) -> UnsafeMutableRawPointer {
    let larger = unsafe memory(to)
    if let old = unsafe old { unsafe memcpy(larger, old, from) }
    unsafe memset(larger + from, 0, to - from)
    unsafe free(old)
    return unsafe larger
  }

  // MARK: Handing over

  /// The presence of the first `count` rows as bits; the bytes are zeroed for reuse. Call it before the values
  /// are taken: room for many more rows than these is given up here, so that one odd batch does not tax the rest.
  mutating func takeValidity(_ count: Int) -> Bitmap {
    let bits = unsafe Self.pack(presence, count)
    let kept = (2 * count + 1_024) & ~63
    if kept < capacity / 2 {
      unsafe free(presence)
      unsafe presence = Self.zeroes(kept).assumingMemoryBound(to: UInt8.self)
      capacity = kept
    } else {
      unsafe memset(presence, 0, count)
    }
    return bits
  }

  /// The first `count` values; the next ones go to new memory.
  mutating func takeValues(_ count: Int) -> Buffer {
    let taken = unsafe Self.wrap(values!, count * width)
    unsafe values = Self.zeroes(capacity * width)
    return taken
  }

  /// The first `count` one-byte values as bits; the bytes are zeroed for reuse.
  mutating func takeBits(_ count: Int) -> Bitmap {
    let bits = unsafe Self.pack(values!.assumingMemoryBound(to: UInt8.self), count)
    unsafe memset(values!, 0, count)
    return bits
  }

  /// `count + 1` offsets.
  mutating func takeEnds(_ count: Int) -> Buffer {
    let taken = unsafe Self.wrap(ends!, (count + 1) * 4)
    unsafe ends = Self.zeroes((capacity + 1) * 4).assumingMemoryBound(to: Int32.self)
    return taken
  }

  mutating func takeData() -> Buffer {
    let taken = unsafe Self.wrap(data!, end)
    dataCapacity = min(dataCapacity, 2 * end + 65_536)
    unsafe data = Self.memory(dataCapacity)
    end = 0
    return taken
  }

  /// The first `count` rows of a leaf as a column of `type`.
  mutating func take(as type: DataType, _ count: Int) -> ArrowArray {
    let validity = takeValidity(count)
    let storage: ArrowArray.Storage =
      switch type {
      case .boolean: .boolean(takeBits(count))
      case .utf8: .variable(offsets: takeEnds(count), data: takeData())
      case .fixedSizeList(let element, let length):
        .fixedSizeList(
          child: ArrowArray(element.type, count: count * length, storage: .fixed(takeValues(count))))
      default: .fixed(takeValues(count))
      }
    return ArrowArray(type, count: count, validity: validity, storage: storage)
  }

  private static func wrap(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> Buffer {
    let owner = unsafe BufferOwner(memory) { memory in unsafe free(memory) }
    return unsafe Buffer(owner: owner, byteCount: byteCount)
  }

  /// Bytes of 0 and 1 as bits.
  private static func pack(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bitmap {
    var words = BufferBuilder(capacity: (count + 63) / 64 * 8)
    words.append(capacity: (count + 7) / 8, of: UInt8.self) { output in
      for group in 0..<(count + 7) / 8 {
        let eight = unsafe UnsafeRawPointer(bytes + group * 8).loadUnaligned(as: UInt64.self)
        output.append(UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56))
      }
    }
    return Bitmap(words.finish(), count: count)
  }
}
