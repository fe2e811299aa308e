import ArrowKernels
import Buffers
import Glibc

/// Lists of equal byte count, one after the other, of which each distinct one is held once: the embeddings of popular
/// items repeat, and a page of them waits in memory for every open file.
///
/// Memory comes in blocks of one size, which the allocator passes from the page of one file to that of the next.
@safe struct DistinctLists: ~Copyable {
  // SAFETY: `blocks` and `open` own the memory that `pointer` answers; numbers are of lists that were added.
  private static let blockByteCount = 64 << 10

  /// Bytes of a list.
  let width: Int
  /// A block holds two to this power of lists.
  private let blockShift: Int
  private var blocks = BufferTable()
  private var open = BufferBuilder()
  /// For each list the number of the distinct one that it is, UInt32.
  private var numbers = BufferBuilder()
  /// By number: the hash, cut.
  private var tags: [UInt32] = []
  /// Numbers plus one by hash, 0 where free; a power of two of them.
  private var slots: [UInt32] = []

  /// - Parameter width: of a list, in bytes; 0 for a value that takes no lists.
  init(width: Int = 0) {
    self.width = width
    let listCount = Swift.max(1, Self.blockByteCount / Swift.max(1, width))
    blockShift = Int.bitWidth - 1 - listCount.leadingZeroBitCount
    if width > 0 { slots = Array(repeating: 0, count: 1024) }
  }

  var count: Int { numbers.byteCount / 4 }
  var distinctCount: Int { tags.count }

  /// Of all lists, as if each were held.
  var byteCount: Int { count * width }

  /// Which distinct list the list at `index` is.
  @inline(__always) func number(_ index: Int) -> Int {
    Int(unsafe numbers.bytes.unsafeLoad(fromByteOffset: index &* 4, as: UInt32.self))
  }

  /// - Precondition: `list` has `width` bytes.
  mutating func append(_ list: RawSpan) {
    precondition(list.byteCount == width, "a list of \(list.byteCount) bytes among those of \(width)")
    unsafe list.withUnsafeBytes { list in numbers.append(unsafe find(list.baseAddress!)) }
  }

  private mutating func find(_ list: UnsafeRawPointer) -> UInt32 {
    let hash = UInt32(truncatingIfNeeded: unsafe Hash64.of(list, count: width))
    let mask = slots.count &- 1
    var slot = Int(hash) & mask
    while slots[slot] != 0 {
      let candidate = slots[slot] &- 1
      if unsafe tags[Int(candidate)] == hash && memcmp(pointer(Int(candidate)), list, width) == 0 { return candidate }
      slot = (slot &+ 1) & mask
    }
    slots[slot] = UInt32(tags.count) + 1
    return unsafe insert(list, hash)
  }

  private mutating func insert(_ list: UnsafeRawPointer, _ hash: UInt32) -> UInt32 {
    let number = tags.count
    if open.byteCount == 0 { open.reserve(width << blockShift) }
    open.append(unsafe RawSpan(_unsafeStart: list, byteCount: width))
    if open.byteCount == width << blockShift { blocks.append(open.take()) }
    tags.append(hash)
    if tags.count * 2 > slots.count { grow() }
    return UInt32(number)
  }

  private mutating func grow() {
    let mask = slots.count * 2 - 1
    slots = Array(repeating: 0, count: slots.count * 2)
    for (number, hash) in tags.enumerated() {
      var slot = Int(hash) & mask
      while slots[slot] != 0 { slot = (slot &+ 1) & mask }
      slots[slot] = UInt32(number) + 1
    }
  }

  @inline(__always) private func pointer(_ number: Int) -> UnsafeRawPointer {
    let (block, index) = (number &>> blockShift, number & (1 &<< blockShift &- 1))
    if block < blocks.count { return unsafe blocks.pointer(block, byteOffset: index &* width) }
    return unsafe open.bytes.withUnsafeBytes { unsafe $0.baseAddress! + index &* width }
  }

  /// Calls `body` with the place of each list, in their order.
  @inline(__always) func forEachList(_ body: (_ index: Int, _ list: UnsafeRawPointer) -> Void) {
    for index in 0..<count { unsafe body(index, pointer(number(index))) }
  }

  /// Appends the lists' bytes to `output`.
  func write(into output: inout BufferBuilder) {
    output.reserve(byteCount)
    unsafe forEachList { _, list in output.append(unsafe RawSpan(_unsafeStart: list, byteCount: width)) }
  }

  /// The first `count` lists.
  func prefix(_ count: Int) -> DistinctLists {
    var first = DistinctLists(width: width)
    for index in 0..<min(count, self.count) {
      first.append(unsafe RawSpan(_unsafeStart: pointer(number(index)), byteCount: width))
    }
    return first
  }
}
