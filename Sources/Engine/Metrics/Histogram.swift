/// Counts of values by size, for quantiles over time and over several processes.
package struct Histogram: Sendable {
  /// Ascending; a value is counted at the first that is not below it.
  private let bounds: [Double]
  private var counts: [Int]
  package private(set) var sum = 0.0
  package private(set) var count = 0

  /// - Parameter bounds: upper ends of the buckets, inclusive and ascending; what is above the last is counted, too.
  package init(bounds: [Double]) {
    self.bounds = bounds
    counts = [Int](repeating: 0, count: bounds.count + 1)
  }

  package mutating func observe(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
    count += 1
  }

  /// What was counted since an earlier state of the same histogram.
  package func since(_ earlier: Histogram) -> Histogram {
    precondition(bounds == earlier.bounds, "histograms of other bounds")
    var difference = self
    for index in counts.indices { difference.counts[index] -= earlier.counts[index] }
    difference.sum -= earlier.sum
    difference.count -= earlier.count
    return difference
  }

  /// A bound that this share of the values is not above; the largest bound where it is above all; 0 without values.
  package func quantile(_ share: Double) -> Double {
    guard count > 0 else { return 0 }
    let wanted = Int((share * Double(count)).rounded(.up))
    var total = 0
    for (bound, count) in zip(bounds, counts) {
      total += count
      if total >= wanted { return bound }
    }
    return bounds.last ?? 0
  }

  /// About what this share of the values is not above: values are taken to lie evenly between bounds, those above the
  /// largest on it; 0 without values.
  package func estimate(_ share: Double) -> Double {
    let wanted = share * Double(count)
    var (total, least) = (0.0, 0.0)
    for (bound, count) in zip(bounds, counts) {
      if count > 0, total + Double(count) >= wanted {
        return least + (bound - least) * (wanted - total) / Double(count)
      }
      (total, least) = (total + Double(count), bound)
    }
    return least
  }

  /// How many values are not above each bound, of which the last is infinity.
  var cumulative: [(bound: String, count: Int)] {
    var total = 0
    return zip(bounds.map { "\($0)" } + ["+Inf"], counts).map { bound, count in
      total += count
      return (bound, total)
    }
  }
}
