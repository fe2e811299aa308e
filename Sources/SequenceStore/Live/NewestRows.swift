/// Chooses the rows of a user's newest events among those of some live tables, the last segment's first: of each table rows
/// are looked at from the one that came last, until none of the others can be among the newest.
struct NewestRows {
  /// So many are enough.
  private let limit: Int
  /// Those that were looked at, of one table after the other; by table, where its own begin.
  private var rows: [UInt32] = []
  private var starts: [Int] = []
  /// When their events happened.
  private var seconds: [UInt32] = []
  /// Fewer rows than this are not enough.
  private var leastCount: Int
  private var isWithoutOthers = true

  init(_ limit: Int) { (self.limit, leastCount) = (limit, limit) }

  mutating func beginTable() { starts.append(rows.count) }

  mutating func add(_ row: UInt32, seconds: UInt32) {
    rows.append(row)
    self.seconds.append(seconds)
  }

  /// Whether no more rows are wanted, if none of those that are left has an event after `newest`.
  mutating func isEnough(beside newest: UInt32) -> Bool {
    guard seconds.count >= leastCount else { return false }
    let newerCount = seconds.count { $0 > newest }
    if newerCount >= limit { isWithoutOthers = false }
    leastCount = seconds.count + max(0, limit - newerCount)
    return newerCount >= limit
  }

  /// Those of table `index` that were looked at, the one that came last first.
  func rows(ofTable index: Int) -> ArraySlice<UInt32> {
    rows[starts[index]..<(index + 1 < starts.count ? starts[index + 1] : rows.count)]
  }

  /// Events from then on were all looked at, and are enough, in seconds since 1970; 0: all events were.
  var fromSeconds: UInt32 {
    if isWithoutOthers, seconds.count <= limit { return 0 }
    return limit == 0 ? .max : seconds.largest(limit)
  }
}

extension [UInt32] {
  /// The element that has `number` - 1 before it when the largest come first.
  fileprivate func largest(_ number: Int) -> UInt32 {
    let place = number - 1
    var (elements, low, high) = (self, 0, count - 1)
    while low < high {
      let pivot = elements[(low + high) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while elements[left] > pivot { left += 1 }
        while elements[right] < pivot { right -= 1 }
        guard left <= right else { break }
        elements.swapAt(left, right)
        left += 1
        right -= 1
      }
      if place <= right { high = right } else if place >= left { low = left } else { break }
    }
    return elements[place]
  }
}
