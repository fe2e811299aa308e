import Glibc
import SequenceStore
import TestSupport

/// Profiles of event types as they come about where people act by the clock and the day of the week: counts that swing over
/// the day, sag on weekends, grow a little each week and are noisy by the day and by the hour.
struct SimulatedWeeks {
  struct EventType {
    var name: String
    /// Events an hour, on the average.
    var rate: Double
  }

  /// What goes wrong.
  struct Fault {
    var eventType: String
    /// From this hour on, counted from the start.
    var hour: Int
    /// The share of the events that still comes.
    var volume = 1.0
    /// The share of `item` that is null then.
    var nulls: Double?
    /// Bins, a quarter octave each, by which lags grow.
    var lagShift = 0
    /// Bins by which prices grow.
    var priceShift = 0
    /// Whether categories are others than before.
    var exchangesCategories = false
  }

  static let eventTypes = [
    EventType(name: "view", rate: 20_000), EventType(name: "click", rate: 2_500), EventType(name: "save", rate: 400),
    EventType(name: "search", rate: 80), EventType(name: "report", rate: 6),
  ]
  static let start = Day("2026-03-02")!
  /// The bin of a second.
  private static let secondBin = 418

  var profiles = DatasetProfiles()
  private var random: SeededRandom

  init(days: Int, seed: UInt64, fault: Fault? = nil) {
    random = SeededRandom(seed: seed)
    var all: [Day: [TypeHour: EventProfile]] = [:]
    for day in 0..<days {
      let dayNoise = Self.eventTypes.map { _ in exp(normal() * 0.06) }
      var hours: [TypeHour: EventProfile] = [:]
      for (type, noise) in zip(Self.eventTypes, dayNoise) {
        for hour in 0..<24 {
          let active = fault.flatMap { $0.eventType == type.name && day * 24 + hour >= $0.hour ? $0 : nil }
          let rate = type.rate * noise * Self.season(day: day, hour: hour) * (active?.volume ?? 1)
          let profile = profile(rate: rate * exp(normal() * 0.08), active)
          if profile.rowCount > 0 { hours[TypeHour(type.name, hour: hour)] = profile }
        }
      }
      all[Day(Self.start.number + Int32(day))] = hours
    }
    profiles = DatasetProfiles(days: all)
  }

  private static func season(day: Int, hour: Int) -> Double {
    let ofDay = 1 + 0.8 * sin(Double(hour - 9) / 24 * 2 * Double.pi)
    let ofWeek = [1, 1.02, 1.05, 1.05, 1.15, 0.7, 0.6][day % 7]
    return ofDay * ofWeek * pow(1.01, Double(day) / 7)
  }

  /// Of about so many events.
  private mutating func profile(rate: Double, _ fault: Fault?) -> EventProfile {
    let prices = bins(30, shiftedBy: fault?.priceShift ?? 0) { exp(-pow(Double($0) - 12, 2) / 30) }
    let categories = bins(40, shiftedBy: fault?.exchangesCategories == true ? 20 : 0) { 1 / Double($0 + 1) }
    let lags = bins(24, shiftedBy: fault?.lagShift ?? 0) { exp(-Double($0) / 3) }
    let counts = prices.map { ColumnProfile.BinCount(bin: 400 + $0.bin, count: poisson(rate * $0.share)) }
    let rows = counts.reduce(0) { $0 + $1.count }
    let nulls = min(rows, poisson(Double(rows) * (fault?.nulls ?? 0.03)))
    return EventProfile(
      rowCount: rows,
      columns: [
        "price": ColumnProfile(.numbers, counts: counts.filter { $0.count > 0 }),
        "category": column(.texts, Double(rows), categories.map { ($0.bin % 64, $0.share) }),
        "seen_at": column(.numbers, Double(rows), lags.map { (Self.secondBin + $0.bin, $0.share) }),
        "item": ColumnProfile(
          .presence, nullCount: nulls, counts: nulls < rows ? [.init(bin: 0, count: rows - nulls)] : []),
      ])
  }

  private mutating func column(_ bins: ValueBins, _ rows: Double, _ shares: [(bin: Int, share: Double)])
    -> ColumnProfile
  {
    let counts = shares.map { ColumnProfile.BinCount(bin: $0.bin, count: poisson(rows * $0.share)) }
    return ColumnProfile(bins, counts: counts.filter { $0.count > 0 }.sorted { $0.bin < $1.bin })
  }

  private func bins(_ count: Int, shiftedBy shift: Int, _ weight: (Int) -> Double) -> [(bin: Int, share: Double)] {
    let weights = (0..<count).map(weight)
    let total = weights.reduce(0, +)
    return weights.enumerated().map { ($0 + shift, $1 / total) }
  }

  // MARK: Chance

  private mutating func uniform() -> Double { (Double(random.next() >> 11) + 0.5) / 0x1p53 }

  private mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * Double.pi * uniform()) }

  private mutating func poisson(_ mean: Double) -> Int {
    if mean > 40 { return max(0, Int((mean + normal() * mean.squareRoot()).rounded())) }
    var (count, product) = (-1, 1.0)
    let limit = exp(-mean)
    repeat {
      product *= uniform()
      count += 1
    } while product > limit
    return count
  }
}
