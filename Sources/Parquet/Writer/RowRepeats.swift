import Buffers
import CZstd

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
  /// The latest row plus one by its list's number, 0 before the first.
  private var latest: [Int32] = []
  private var literalCount = 0

  init() {}

  /// - Parameters:
  ///   - levels: what stands before the values.
  ///   - lists: a row each.
  ///   - streamCount: how many streams of equal size the values are split into.
  mutating func find(levels: RawSpan, lists: borrowing DistinctLists, streamCount: Int) {
    sequences.removeAll(keepingCapacity: true)
    literalCount = 0
    findInLevels(levels)
    measureDistances(lists)
    for _ in 0..<streamCount { appendStream(lists.width / streamCount, lists.count) }
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

  private mutating func measureDistances(_ lists: borrowing DistinctLists) {
    latest.removeAll(keepingCapacity: true)
    latest.append(contentsOf: repeatElement(0, count: lists.distinctCount))
    distances.removeAll(keepingCapacity: true)
    for row in 0..<lists.count {
      let number = lists.number(row)
      let previous = latest[number]
      latest[number] = Int32(truncatingIfNeeded: row &+ 1)
      distances.append(previous == 0 ? 0 : latest[number] &- previous)
    }
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
