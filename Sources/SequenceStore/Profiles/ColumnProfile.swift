import JSONText

/// How many of some events have which values in a column, and how many have none.
package struct ColumnProfile: Sendable, Equatable {
  package let bins: ValueBins
  /// Of events without a value.
  package private(set) var nullCount: Int
  /// The bins that are not empty, ascending.
  package private(set) var counts: [BinCount]

  package struct BinCount: Sendable, Equatable {
    package var bin: Int
    package var count: Int

    package init(bin: Int, count: Int) { (self.bin, self.count) = (bin, count) }
  }

  package init(_ bins: ValueBins, nullCount: Int = 0, counts: [BinCount] = []) {
    self.bins = bins
    self.nullCount = nullCount
    self.counts = counts
  }

  /// How many events have a value.
  package var valueCount: Int { counts.reduce(0) { $0 + $1.count } }
  package var rowCount: Int { valueCount + nullCount }

  /// In 0…1; 0 without rows.
  package var nullShare: Double { rowCount > 0 ? Double(nullCount) / Double(rowCount) : 0 }

  /// Adds the counts of other events. Those of a column that has become another kind of column are left out.
  package mutating func add(_ other: ColumnProfile) {
    guard bins == other.bins else { return }
    nullCount += other.nullCount
    var merged: [BinCount] = []
    merged.reserveCapacity(max(counts.count, other.counts.count))
    var (mine, theirs) = (counts[...], other.counts[...])
    while let left = mine.first, let right = theirs.first {
      merged.append(BinCount(bin: min(left.bin, right.bin), count: 0))
      if left.bin <= right.bin { merged[merged.count - 1].count += mine.removeFirst().count }
      if right.bin <= left.bin { merged[merged.count - 1].count += theirs.removeFirst().count }
    }
    counts = merged + mine + theirs
  }

  /// A number that this share of the numbers is not above; nil without numbers.
  package func quantile(_ share: Double) -> Double? {
    guard bins == .numbers else { return nil }
    let numbers = counts.filter { $0.bin > 0 }
    let wanted = Int((share * Double(numbers.reduce(0) { $0 + $1.count })).rounded(.up))
    var total = 0
    for entry in numbers {
      total += entry.count
      if total >= max(1, wanted) { return ValueBins.bound(of: entry.bin) }
    }
    return nil
  }
}

extension ColumnProfile {
  /// `{"bins": "numbers", "nulls": 3, "counts": [bin, count, bin, count, …]}`
  var json: JSONValue {
    [
      "bins": .string(bins.rawValue), "nulls": .integer(Int64(nullCount)),
      "counts": .array(counts.flatMap { [.integer(Int64($0.bin)), .integer(Int64($0.count))] }),
    ]
  }

  /// Nil for anything else.
  init?(_ json: JSONValue) {
    guard let bins = json["bins"]?.string.flatMap({ ValueBins(rawValue: $0) }),
      let nullCount = json["nulls"]?.integer.flatMap({ Int(exactly: $0) }), nullCount >= 0,
      let pairs = json["counts"]?.array?.compactMap({ $0.integer.flatMap { Int(exactly: $0) } }),
      pairs.count == json["counts"]?.array?.count, pairs.count % 2 == 0
    else { return nil }
    var counts: [BinCount] = []
    for place in stride(from: 0, to: pairs.count, by: 2) {
      let entry = BinCount(bin: pairs[place], count: pairs[place + 1])
      guard (0..<bins.count).contains(entry.bin), (1...Self.countLimit).contains(entry.count),
        counts.last.map({ $0.bin < entry.bin }) ?? true
      else { return nil }
      counts.append(entry)
    }
    guard nullCount <= Self.countLimit else { return nil }
    self.init(bins, nullCount: nullCount, counts: counts)
  }

  /// So large a count is none: sums of many stay far from overflow.
  static let countLimit = 1 << 40
}
