import Glibc

/// How far two distributions lie apart: the population stability index, Σ (p − q) ln(p / q) over their bins.
struct PopulationStability {
  /// Counts of both, in the same bins.
  private let pairs: [(expected: Double, found: Double)]
  private let expectedCount: Double
  private let foundCount: Double

  /// Puts bins together until there are few: neighbours of about equal shares of what is expected where bins have an order,
  /// else all but the fullest.
  init(expected: ColumnProfile, found: ColumnProfile) {
    var counts: [Int: (expected: Double, found: Double)] = [:]
    for entry in expected.counts { counts[entry.bin, default: (0, 0)].expected += Double(entry.count) }
    for entry in found.counts { counts[entry.bin, default: (0, 0)].found += Double(entry.count) }
    (expectedCount, foundCount) = (Double(expected.valueCount), Double(found.valueCount))
    pairs =
      expected.bins.isOrdered
      ? Self.neighbours(counts.sorted { $0.key < $1.key }.map(\.value), total: expectedCount)
      : Self.fullest(counts.sorted { ($1.value.expected, $0.key) < ($0.value.expected, $1.key) }.map(\.value))
  }

  private static func neighbours(
    _ counts: [(expected: Double, found: Double)], total: Double
  ) -> [(expected: Double, found: Double)] {
    let wanted = total / Double(AnomalyRules.stabilityBinCount)
    var (groups, open) = ([(expected: Double, found: Double)](), (expected: 0.0, found: 0.0))
    for entry in counts {
      open = (open.expected + entry.expected, open.found + entry.found)
      if open.expected >= wanted {
        groups.append(open)
        open = (0, 0)
      }
    }
    return open == (0, 0) ? groups : groups + [open]
  }

  private static func fullest(_ counts: [(expected: Double, found: Double)]) -> [(expected: Double, found: Double)] {
    let kept = counts.prefix(AnomalyRules.stabilityBinCount - 1)
    let rest = counts.dropFirst(kept.count)
    guard !rest.isEmpty else { return Array(kept) }
    return kept + [rest.reduce((0, 0)) { ($0.0 + $1.expected, $0.1 + $1.found) }]
  }

  /// Half an event is added to each bin, so that an empty one does not weigh infinitely.
  var index: Double {
    let (left, right) = (expectedCount + Double(pairs.count) / 2, foundCount + Double(pairs.count) / 2)
    return pairs.reduce(0) { total, pair in
      let (p, q) = ((pair.found + 0.5) / right, (pair.expected + 0.5) / left)
      return total + (p - q) * log(p / q)
    }
  }

  /// What the index is on the average between samples of the same distribution.
  var noise: Double { Double(max(0, pairs.count - 1)) * (1 / max(1, expectedCount) + 1 / max(1, foundCount)) }
}
