import Definitions
import NIOHTTP1
import SequenceStore

/// What a client demands of the data, beyond its being there.
struct Demands {
  /// The furthest that any event type may be behind its source.
  private var freshnessMicros: Int64?
  /// The least that look-ups must have found: by name, or of all that answer a column.
  private var coverage: [(lookup: String?, share: Double)]
  /// Whether a breach is told in the answer, instead of in the place of it.
  let degrades: Bool

  init(_ parameters: RequestParameters) throws(RequestError) {
    freshnessMicros = try parameters.duration("min_freshness")
    coverage = try parameters.shares("min_coverage")?.map { ($0.name, $0.value) } ?? []
    degrades = try parameters.flag("degrade")
  }

  /// Whether it depends on what look-ups find.
  var mindCoverage: Bool { !coverage.isEmpty }

  var isEmpty: Bool { freshnessMicros == nil && coverage.isEmpty }

  /// What of it is not so, a sentence each.
  /// - Throws: 400 for a look-up that the sequence does not have.
  func breaches(_ contract: AnswerContract) throws(RequestError) -> [String] {
    var breaches: [String] = []
    if let freshnessMicros {
      for type in contract.eventTypes where type.freshnessSeconds ?? .infinity > Double(freshnessMicros) / 1e6 {
        let demand = DurationText.format(freshnessMicros)
        breaches.append(
          type.freshnessSeconds.map {
            "event type '\(type.name)' is \(DecimalText.format($0, places: 3)) s behind; \(demand) is demanded"
          }
            ?? "of event type '\(type.name)' it is not known how fresh it is; \(demand) is demanded")
      }
    }
    for (lookup, share) in coverage { breaches += try Self.breaches(contract, lookup, share) }
    return breaches
  }

  private static func breaches(
    _ contract: AnswerContract, _ name: String?, _ least: Double
  ) throws(RequestError) -> [String] {
    if let name, !contract.lookups.contains(name) {
      let known = contract.lookups.isEmpty ? "it has none" : "it has \(contract.lookups.joined(separator: ", "))"
      throw RequestError(.badRequest, "min_coverage: the sequence has no look-up '\(name)'; \(known)")
    }
    let judged = name.map { [$0: contract.coverage[$0] ?? contract.stored($0)] } ?? contract.coverage
    return judged.sorted { $0.key < $1.key }.compactMap { lookup, coverage in
      guard let share = coverage.share, share < least else { return nil }
      return "look-up '\(lookup)' found \(coverage.text); \(least) is demanded"
    }
  }
}
