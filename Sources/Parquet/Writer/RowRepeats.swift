import ArrowKernels
import Buffers
import CZstd
import Glibc

/// Finds the lists of a page that repeat an earlier one as a whole, as embeddings of popular items do, and puts them
/// down as zstd's sequences.
///
/// A page is levels, then values in one stream (PLAIN) or one per byte of a value (BYTE_STREAM_SPLIT); a repeated list
/// is a match of equal distance in every stream. Every stream begins a zstd block of its own, so that the noise of
/// mantissas and the few values of exponents do not share a code.
struct RowRepeats: ~Copyable {
  /// What `compress(_:sequences:into:)` takes.
  private(set) var sequences: [ZSTD_Sequence] = []
  /// Bytes of a zstd block, at most.
  private static let blockByteCount = 128 << 10
  /// How many rows back the same list stands; 0 for the first of its kind.
  private var distances: [Int32] = []
  /// The latest row plus one by hash, 0 when free; a power of two of them.
  private var slots: [Int32] = []
  private var literalCount = 0

  init() {}

  /// - Parameters:
  ///   - levels: what stands before the values.
  ///   - values: PLAIN, lists of `rowByteCount` bytes.
  ///   - streamCount: how many streams of equal size the values are split into.
  mutating func find(levels: RawSpan, values: RawSpan, rowByteCount: Int, streamCount: Int) {
    sequences.removeAll(keepingCapacity: true)
    literalCount = 0
    findInLevels(levels)
    let rowCount = values.byteCount / rowByteCount
    measureDistances(values, rowByteCount, rowCount)
    for _ in 0..<streamCount { appendStream(rowByteCount / streamCount, rowCount) }
  }

  private mutating func append(matchLength: Int, distance: Int) {
    sequences.append(
      ZSTD_Sequence(
        offset: UInt32(distance), litLength: UInt32(literalCount), matchLength: UInt32(matchLength), rep: 0))
    literalCount = 0
  }

  /// Ends a block, with the literals since the last match.
  private mutating func endBlock() { append(matchLength: 0, distance: 0) }

  // MARK: Rows

  private mutating func measureDistances(_ values: RawSpan, _ rowByteCount: Int, _ rowCount: Int) {
    resetSlots(rowCount)
    distances.removeAll(keepingCapacity: true)
    let mask = slots.count - 1
    unsafe values.withUnsafeBytes { values in
      guard let base = values.baseAddress else { return }
      for row in 0..<rowCount {
        let bytes = unsafe base + row &* rowByteCount
        var slot = Int(truncatingIfNeeded: unsafe Hash64.of(bytes, count: rowByteCount)) & mask
        while slots[slot] != 0,
          unsafe memcmp(base + Int(slots[slot] &- 1) &* rowByteCount, bytes, rowByteCount) != 0
        { slot = (slot &+ 1) & mask }
        let previous = slots[slot]
        slots[slot] = Int32(truncatingIfNeeded: row &+ 1)
        distances.append(previous == 0 ? 0 : Int32(truncatingIfNeeded: row &+ 1) &- previous)
      }
    }
  }

  private mutating func resetSlots(_ rowCount: Int) {
    var slotCount = 64
    while slotCount < rowCount * 2 { slotCount *= 2 }
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(0, count: slotCount))
  }

  private mutating func appendStream(_ rowByteCount: Int, _ rowCount: Int) {
    let blockRowCount = max(1, Self.blockByteCount / rowByteCount)
    for start in stride(from: 0, to: rowCount, by: blockRowCount) {
      appendBlock(rowByteCount, start..<min(rowCount, start + blockRowCount))
    }
  }

  private mutating func appendBlock(_ rowByteCount: Int, _ rows: Range<Int>) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      let distance = distances[row]
      var end = row + 1
      while end < rows.upperBound, distances[end] == distance { end += 1 }
      if distance == 0 {
        literalCount += (end - row) * rowByteCount
      } else {
        append(matchLength: (end - row) * rowByteCount, distance: Int(distance) * rowByteCount)
      }
      row = end
    }
    endBlock()
  }

  // MARK: Levels

  /// A greedy search, which does for levels: they repeat in short periods.
  private mutating func findInLevels(_ levels: RawSpan) {
    var latest = InlineArray<4096, Int32>(repeating: -1)
    for start in stride(from: 0, to: levels.byteCount, by: Self.blockByteCount) {
      let end = min(levels.byteCount, start + Self.blockByteCount)
      var (position, anchor) = (start, start)
      while position + 4 <= end {
        let word = levels.word(at: position)
        let slot = Int((word &* 2_654_435_761) &>> 20)
        let candidate = Int(latest[slot])
        latest[slot] = Int32(truncatingIfNeeded: position)
        guard candidate >= 0, levels.word(at: candidate) == word else {
          position += 1
          continue
        }
        let length = levels.matchLength(candidate, position, end)
        literalCount = position - anchor
        append(matchLength: length, distance: position - candidate)
        position += length
        anchor = position
      }
      literalCount = end - anchor
      endBlock()
    }
  }
}

extension RawSpan {
  fileprivate func word(at offset: Int) -> UInt32 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }

  fileprivate func matchLength(_ first: Int, _ second: Int, _ end: Int) -> Int {
    var length = 0
    while second + length < end,
      unsafe unsafeLoad(fromByteOffset: first + length, as: UInt8.self)
        == unsafeLoad(fromByteOffset: second + length, as: UInt8.self)
    { length += 1 }
    return length
  }
}
