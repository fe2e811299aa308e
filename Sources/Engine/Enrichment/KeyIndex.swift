import Arrow
import Buffers
import Glibc

/// Finds the rows of a table that hold a key: open addressing over groups of equal keys.
///
/// The table's rows are put in the order (key group, as-of time, row), so a group is a range of `rows`.
struct KeyIndex: Sendable {
  enum Keys: Sendable {
    case integers([Int64])
    case strings(ArrowArray)
  }

  private let keys: Keys
  /// Slot → group + 1; 0 is free. A power of two, at most half full.
  private let slots: [UInt32]
  /// Group → where its rows begin in `rows`; one more than there are groups.
  private let starts: [Int32]
  /// Table rows, group by group.
  let rows: [Int32]
  /// How many rows had a key that an earlier row has too.
  var repeatedCount: Int { rows.count - (starts.count - 1) }

  /// - Parameters:
  ///   - keys: one per table row. Rows without a key are left out.
  ///   - asOf: microseconds since 1970 per table row; rows without one come first.
  init(_ keys: ArrowArray, asOf: [Int64]?) {
    self.keys = keys.type == .utf8 ? .strings(keys) : .integers(keys.widenedIntegers)
    var capacity = 16
    while capacity < keys.count * 2 { capacity *= 2 }
    var slots = [UInt32](repeating: 0, count: capacity)
    var groupOfRow = [Int32](repeating: -1, count: keys.count)
    var firstRows: [Int32] = []
    var sizes: [Int32] = []
    for row in 0..<keys.count where keys.isValid(row) {
      var slot = Int(self.keys.hash(row) & UInt64(capacity - 1))
      while slots[slot] != 0, !self.keys.isEqual(row, Int(firstRows[Int(slots[slot]) - 1])) {
        slot = (slot + 1) & (capacity - 1)
      }
      if slots[slot] == 0 {
        firstRows.append(Int32(row))
        sizes.append(0)
        slots[slot] = UInt32(firstRows.count)
      }
      groupOfRow[row] = Int32(slots[slot] - 1)
      sizes[Int(slots[slot] - 1)] += 1
    }
    self.slots = slots
    starts = sizes.reduce(into: [0]) { $0.append($0.last! + $1) }
    rows = Self.order(groupOfRow, starts: starts, asOf: asOf)
  }

  private static func order(_ groupOfRow: [Int32], starts: [Int32], asOf: [Int64]?) -> [Int32] {
    var next = starts
    var rows = [Int32](repeating: 0, count: Int(starts.last!))
    for (row, group) in groupOfRow.enumerated() where group >= 0 {
      rows[Int(next[Int(group)])] = Int32(row)
      next[Int(group)] += 1
    }
    guard let asOf else { return rows }
    for (start, end) in zip(starts, starts.dropFirst()) where end - start > 1 {
      rows[Int(start)..<Int(end)].sort { (asOf[Int($0)], $0) < (asOf[Int($1)], $1) }
    }
    return rows
  }

  /// The range of `rows` with the integer key; empty if there is none.
  func group(of key: Int64) -> Range<Int> {
    guard case .integers(let integers) = keys else { return 0..<0 }
    return find(hash: Keys.hash(key)) { integers[$0] == key }
  }

  /// The range of `rows` with the string key; empty if there is none.
  func group(of key: RawSpan) -> Range<Int> {
    guard case .strings(let strings) = keys else { return 0..<0 }
    return find(hash: XXHash64.hash(key)) { strings.bytes($0).bytes.hasSameBytes(as: key) }
  }

  @inline(__always) private func find(hash: UInt64, isKey: (Int) -> Bool) -> Range<Int> {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let group = Int(slots[slot]) - 1
      let range = Int(starts[group])..<Int(starts[group + 1])
      if isKey(Int(rows[range.lowerBound])) { return range }
      slot = (slot + 1) & mask
    }
    return 0..<0
  }
}

extension KeyIndex.Keys {
  @inline(__always) static func hash(_ key: Int64) -> UInt64 {
    let mixed = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ (mixed >> 32)
  }

  func hash(_ row: Int) -> UInt64 {
    switch self {
    case .integers(let values): Self.hash(values[row])
    case .strings(let values): XXHash64.hash(values.bytes(row).bytes)
    }
  }

  func isEqual(_ left: Int, _ right: Int) -> Bool {
    switch self {
    case .integers(let values): values[left] == values[right]
    case .strings(let values): values.bytes(left) == values.bytes(right)
    }
  }
}

extension RawSpan {
  func hasSameBytes(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        left.count == 0 || (unsafe memcmp(left.baseAddress!, right.baseAddress!, left.count)) == 0
      }
    }
  }
}
