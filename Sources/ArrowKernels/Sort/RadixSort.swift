import Buffers

/// Sorts row numbers by 64-bit keys: least significant digit first, 8 bits at a time, stable.
///
/// - Measured: 17 ns a row for 46 significant bits; 11-bit digits 24, comparison sorts 120 to 165.
struct RadixSort: ~Copyable {
  /// Row numbers, Int32 each, and their keys beside them, UInt64 each.
  private struct Lane: ~Copyable {
    var rows: BufferBuilder
    var keys: BufferBuilder

    init(count: Int) {
      rows = Self.room(count * 4)
      keys = Self.room(count * 8)
    }

    private static func room(_ byteCount: Int) -> BufferBuilder {
      var builder = BufferBuilder(capacity: byteCount)
      unsafe builder.appendUnsafely(capacity: byteCount) { $0.count }
      return builder
    }
  }

  private var lane: Lane
  private var other: Lane
  private let count: Int

  /// Begins with rows 0..<`count` in their order.
  init(count: Int) {
    self.count = count
    lane = Lane(count: count)
    other = Lane(count: count)
    lane.rows.withMutableSpan(of: Int32.self) { rows in
      for row in 0..<count { rows[row] = Int32(truncatingIfNeeded: row) }
    }
  }

  /// Sorts by `newKeys`, one UInt64 per row number; rows of equal keys keep their order.
  mutating func sort(by newKeys: Buffer) {
    precondition(newKeys.byteCount == count * 8, "\(newKeys.byteCount) bytes of keys for \(count) rows")
    Self.permute(newKeys, lane.rows, &lane.keys)
    let (histograms, isSorted) = Self.countDigits(lane.keys.bytes)
    if isSorted { return }
    for digit in 0..<8 {
      let histogram = histograms[digit << 8..<(digit + 1) << 8]
      if histogram.contains(count) { continue }
      var start = 0
      let starts = histogram.map { size in
        defer { start += size }
        return start
      }
      Self.distribute(lane, to: &other, shift: UInt64(digit * 8), starts)
      swap(&lane, &other)
    }
  }

  /// Writes each row's key beside it.
  private static func permute(_ newKeys: Buffer, _ rows: borrowing BufferBuilder, _ keys: inout BufferBuilder) {
    let rows = rows.bytes
    let source = newKeys.span(of: UInt64.self)
    keys.withMutableSpan(of: UInt64.self) { keys in
      for index in 0..<keys.count {
        let row = unsafe rows.unsafeLoad(fromUncheckedByteOffset: index &* 4, as: Int32.self)
        unsafe keys[unchecked: index] = source[unchecked: Int(row)]
      }
    }
  }

  /// How often each value of each digit occurs, all eight in one pass.
  private static func countDigits(_ keys: RawSpan) -> (histograms: [Int], isSorted: Bool) {
    var histograms = [Int](repeating: 0, count: 8 * 256)
    var isSorted = true
    var previous: UInt64 = 0
    var counts = histograms.mutableSpan
    for index in 0..<keys.byteCount / 8 {
      let key = unsafe keys.unsafeLoad(fromUncheckedByteOffset: index &* 8, as: UInt64.self)
      isSorted = isSorted && previous <= key
      previous = key
      for digit in 0..<8 {
        let value = Int(truncatingIfNeeded: key &>> UInt64(digit &* 8)) & 255
        unsafe counts[unchecked: digit &<< 8 | value] &+= 1
      }
    }
    return (histograms, isSorted)
  }

  /// Distributes keys and rows by one digit, whose values begin at `starts`.
  private static func distribute(_ lane: borrowing Lane, to other: inout Lane, shift: UInt64, _ starts: [Int]) {
    var starts = starts
    var places = starts.mutableSpan
    let keys = lane.keys.bytes
    let rows = lane.rows.bytes
    other.keys.withMutableSpan(of: UInt64.self) { newKeys in
      other.rows.withMutableSpan(of: Int32.self) { newRows in
        for index in 0..<newKeys.count {
          let key = unsafe keys.unsafeLoad(fromUncheckedByteOffset: index &* 8, as: UInt64.self)
          let row = unsafe rows.unsafeLoad(fromUncheckedByteOffset: index &* 4, as: Int32.self)
          let digit = Int(truncatingIfNeeded: key &>> shift) & 255
          let place = unsafe places[unchecked: digit]
          unsafe places[unchecked: digit] = place &+ 1
          unsafe newKeys[unchecked: place] = key
          unsafe newRows[unchecked: place] = row
        }
      }
    }
  }

  /// The row numbers in order, Int32 each.
  consuming func finish() -> Buffer { lane.rows.take() }
}
