import Arrow
import ArrowKernels
import Buffers
import Glibc

/// Finds the rows of a table that hold a key: open addressing over groups of equal keys.
///
/// The table's rows are put in the order (key group, as-of time, row), so a group is a range of `rows`.
struct KeyIndex: Sendable {
  /// The key of each group.
  private enum Keys: Sendable {
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
  var groupCount: Int { starts.count - 1 }

  /// How many rows are hidden by a later one of the same key and as-of time.
  func repeatedKeyCount(asOf: [Int64]?) -> Int {
    guard let asOf else { return rows.count - groupCount }
    return (0..<groupCount).reduce(0) { count, group in
      let times = range(group).lazy.map { asOf[Int(rows[$0])] }
      return count + zip(times, times.dropFirst()).count { $0 == $1 }
    }
  }

  /// - Parameters:
  ///   - keys: integers or strings, one per table row. Rows without a key are left out.
  ///   - asOf: microseconds since 1970 per table row.
  init(_ keys: ArrowArray, asOf: [Int64]?) {
    let values: TableKeys = keys.type == .utf8 ? .strings(keys) : .integers(keys.widenedIntegers)
    var capacity = 16
    while capacity < keys.count * 2 { capacity *= 2 }
    var slots = [UInt32](repeating: 0, count: capacity)
    var groupOfRow = [Int32](repeating: -1, count: keys.count)
    var firstRows: [Int32] = []
    var sizes: [Int32] = []
    for row in 0..<keys.count where keys.isValid(row) {
      var slot = Int(truncatingIfNeeded: values.hash(row)) & (capacity - 1)
      while slots[slot] != 0, !values.isEqual(row, Int(firstRows[Int(slots[slot]) - 1])) {
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
    self.keys =
      switch values {
      case .integers(let integers): .integers(firstRows.map { integers[Int($0)] })
      case .strings(let strings): .strings(strings.take(Buffer(firstRows)))
      }
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

  /// The range of `rows` with the key of a group.
  func range(_ group: Int) -> Range<Int> { Int(starts[group])..<Int(starts[group + 1]) }

  /// The group of each key; -1 for null, for a key that no row has, and for keys of another type than the table's.
  func groups(of keys: ArrowArray) -> [Int32] {
    switch self.keys {
    case .integers(let known) where keys.type.isInteger: groups(of: keys, known)
    case .strings(let known) where keys.type == .utf8: groups(of: keys, known)
    default: Array(repeating: -1, count: keys.count)
    }
  }

  private func groups(of keys: ArrowArray, _ known: [Int64]) -> [Int32] {
    let isUnsigned = keys.type == .uint64
    var groups: [Int32] = []
    groups.reserveCapacity(keys.count)
    for (place, key) in keys.widenedIntegers.enumerated() {
      let isKey = keys.isValid(place) && !(isUnsigned && key < 0)
      groups.append(isKey ? find(hash: hashOfKey(key)) { known[$0] == key } : -1)
    }
    return groups
  }

  private func groups(of keys: ArrowArray, _ known: ArrowArray) -> [Int32] {
    let data = keys.data.bytes
    let (knownData, knownOffsets) = (known.data.bytes, known.offsets)
    var groups: [Int32] = []
    groups.reserveCapacity(keys.count)
    for place in 0..<keys.count {
      let key = data.extracting(keys.range(place))
      let group = find(hash: XXHash64.hash(key)) { group in
        let start = Int(knownOffsets.load(group, as: Int32.self))
        let end = Int(knownOffsets.load(group + 1, as: Int32.self))
        return knownData.extracting(start..<end).hasSameBytes(as: key)
      }
      groups.append(keys.isValid(place) ? group : -1)
    }
    return groups
  }

  /// The group with the key; -1 if there is none.
  @inline(__always) private func find(hash: UInt64, isKey: (Int) -> Bool) -> Int32 {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let group = Int(slots[slot]) - 1
      if isKey(group) { return Int32(truncatingIfNeeded: group) }
      slot = (slot + 1) & mask
    }
    return -1
  }
}

/// The keys of a table's rows.
private enum TableKeys {
  case integers([Int64])
  case strings(ArrowArray)

  func hash(_ row: Int) -> UInt64 {
    switch self {
    case .integers(let values): hashOfKey(values[row])
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

@inline(__always) private func hashOfKey(_ key: Int64) -> UInt64 {
  let mixed = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
  return mixed ^ (mixed >> 32)
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
