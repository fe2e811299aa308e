import Arrow
import Definitions
import Engine
import SequenceStore

/// A look-up that a sequence's event types use, and the columns of the sequence that it brings.
struct SequenceLookup: Sendable {
  let name: String
  /// Of each use that is stored with the events, its columns.
  private var storedUses: [[String]] = []
  /// Those of uses when events are read.
  private var requestColumns: Set<String> = []
  /// Whether each of the sequence's event types has all stored uses.
  private var isOfAllTypes = true
  /// Datasets all of whose event types have them.
  private var datasets: [String] = []

  private init(_ name: String) { self.name = name }

  /// Whether it brings one of some columns.
  func brings(anyOf columns: [String]) -> Bool {
    columns.contains { name in requestColumns.contains(name) || storedUses.contains { $0.contains(name) } }
  }

  /// The look-ups of a sequence, by name.
  static func all(of plan: SequencePlan, in definitions: DefinitionSet) -> [SequenceLookup] {
    let shown = Set(plan.definition.fields.map(\.name))
    let types = plan.definition.eventTypes.compactMap { definitions.eventType($0) }
    var lookups: [String: SequenceLookup] = [:]
    for type in types {
      for use in type.storedLookups {
        let columns = definitions.columns(of: use).filter(shown.contains)
        guard !columns.isEmpty else { continue }
        var lookup = lookups[use.lookup] ?? SequenceLookup(use.lookup)
        if !lookup.storedUses.contains(columns) { lookup.storedUses.append(columns) }
        lookups[use.lookup] = lookup
      }
      for case .lookup(let use) in type.requestEnrichments {
        let columns = definitions.columns(of: use).filter(shown.contains)
        lookups[use.lookup, default: SequenceLookup(use.lookup)].requestColumns.formUnion(columns)
      }
    }
    return lookups.values.map { lookup in
      var lookup = lookup
      lookup.isOfAllTypes = types.allSatisfy { lookup.isStored(with: $0, in: definitions) }
      lookup.datasets = plan.datasets.filter { dataset in
        definitions.eventTypes(dataset: dataset).allSatisfy { lookup.isStored(with: $0, in: definitions) }
      }
      return lookup
    }.sorted { $0.name < $1.name }
  }

  /// Whether events of a type have all stored uses.
  private func isStored(with type: EventTypeDefinition, in definitions: DefinitionSet) -> Bool {
    let own = Set(type.storedLookups.filter { $0.lookup == name }.flatMap { definitions.columns(of: $0) })
    return storedUses.allSatisfy { own.isSuperset(of: $0) }
  }

  /// What it found, as far as that is known; nil when the answer has none of its columns.
  ///
  /// - Parameters:
  ///   - coverage: of what was looked up for this answer.
  ///   - isCounted: whether `events` are all that are answered.
  ///   - storedShare: as `storedShare(in:)` says.
  func coverage(
    of events: RecordBatch, lookedUp coverage: RunReport.Coverage?, isCounted: Bool, storedShare: Double?
  ) -> LookupCoverage? {
    var found = LookupCoverage(storedShare: storedShare)
    var isAnswered = coverage != nil
    if let coverage { found.add(found: coverage.hits, of: coverage.hits + coverage.misses) }
    for use in storedUses {
      let nullCounts = use.compactMap { events[$0]?.nullCount }
      guard let nullCount = nullCounts.min() else { continue }
      isAnswered = true
      if isOfAllTypes, isCounted { found.add(found: events.rowCount - nullCount, of: events.rowCount) }
    }
    if !isAnswered, events.schema.fields.contains(where: { requestColumns.contains($0.name) }) { isAnswered = true }
    return isAnswered ? found : nil
  }

  /// The share of the latest stored events that have a value of it, the least of its datasets; nil when it is not known.
  func storedShare(in tables: ServedTablesState) -> Double? {
    datasets.flatMap { dataset in
      storedUses.compactMap { tables.conditions[dataset]?.valueShare(ofAny: $0) }
    }.min()
  }
}

extension EventTypeDefinition {
  fileprivate var storedLookups: [LookupUse] {
    enrichments.compactMap { if case .lookup(let use) = $0 { use } else { nil } }
  }
}

extension DefinitionSet {
  /// The columns that a use of a look-up brings.
  fileprivate func columns(of use: LookupUse) -> [String] {
    lookup(use.lookup)?.columns.flatMap(\.outputs).map { use.prefix + $0.name } ?? []
  }
}

/// How many of some keys a look-up found.
struct LookupCoverage: Sendable {
  /// Of the events that are answered; nil where nobody counts.
  private(set) var found: (count: Int, total: Int)?
  /// Of the latest stored events.
  let storedShare: Double?

  init(storedShare: Double?) { self.storedShare = storedShare }

  mutating func add(found count: Int, of total: Int) {
    found = ((found?.count ?? 0) + count, (found?.total ?? 0) + total)
  }

  mutating func add(_ other: LookupCoverage) {
    if let found = other.found { add(found: found.count, of: found.total) }
  }

  /// The share of the answered events, or else of the stored ones; nil when neither says anything.
  var share: Double? {
    if let found, found.total > 0 { return Double(found.count) / Double(found.total) }
    return storedShare
  }

  /// As a sentence goes on after "found".
  var text: String {
    if let found, found.total > 0 { return "\(found.count) of \(found.total) keys" }
    return storedShare.map { "\(Figures.share($0)) of the keys of stored events" } ?? "nothing that is known"
  }

  var json: String {
    var members: [String] = []
    if let found { members += [#""found":\#(found.count)"#, #""total":\#(found.total)"#] }
    if let storedShare { members.append(#""stored":\#(DecimalText.format(storedShare, places: 6))"#) }
    return "{" + members.joined(separator: ",") + "}"
  }
}
