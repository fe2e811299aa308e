import Arrow
import Definitions
import Engine
import SequenceStore

/// Definitions with the plans of their sequences. Immutable; a request is answered from one of them.
final class ServedDefinitions: Sendable {
  let definitions: DefinitionSet
  let plans: [String: SequencePlan]
  /// By sequence.
  let lookups: [String: [SequenceLookup]]
  /// What requests for events ask again and again.
  let forms = SequenceForms()
  /// As `version:digest`.
  let label: String

  /// - Parameter tables: of the look-ups that are used when events are read.
  /// - Throws: when a sequence's expressions do not fit the datasets, or a table is missing.
  init(_ definitions: DefinitionSet, tables: [String: LookupTable]) throws {
    self.definitions = definitions
    label = "\(definitions.version):\(definitions.digest)"
    var plans: [String: SequencePlan] = [:]
    for sequence in definitions.sequences {
      plans[sequence.name] = try SequencePlan(sequence, in: definitions, tables: tables)
    }
    self.plans = plans
    lookups = Dictionary(
      uniqueKeysWithValues: plans.map { ($0.key, SequenceLookup.all(of: $0.value, in: definitions)) })
  }

  /// The datasets that sequences read.
  var datasets: Set<String> { Set(plans.values.flatMap(\.datasets)) }

  /// The type of the keys of a sequence's users.
  func userType(of plan: SequencePlan) -> DataType {
    plan.datasets.first.flatMap { definitions.dataset($0)?.userType } ?? .int64
  }
}

/// The definitions that are served now, with the tables that they look up, and where newer ones will come from.
final class DefinitionsView: Sendable {
  let origin: DefinitionsOrigin
  private let tables: ServedTables
  private let served: Followed<ServedDefinitions>

  init(_ origin: DefinitionsOrigin, tables: ServedTables) throws {
    (self.origin, self.tables) = (origin, tables)
    let stamp = origin.stamp
    let definitions = try origin.load()
    let tablesStamp = tables.stamp(of: definitions)
    served = Followed(
      try ServedDefinitions(definitions, tables: tables.load(for: definitions)), stamp: stamp.map { $0 + tablesStamp })
  }

  var current: ServedDefinitions { served.current }

  /// The directories whose changes call for a refresh.
  var directories: [String] { [origin.directory] + tables.directories(of: current.definitions) }

  /// Makes `refresh` read definitions and tables again, changed or not.
  func forget() {
    tables.forget()
    served.forget()
  }

  /// Takes up newer definitions or tables, if there are any.
  ///
  /// - Parameter prepare: called before requests see newer definitions.
  /// - Throws: what is wrong with them, once for each change; the old ones stay.
  func refresh(prepare: (DefinitionSet) throws -> Void) throws {
    guard let stamp = origin.stamp.map({ $0 + tables.stamp(of: current.definitions) }) else { return }
    try served.refresh(stamp: stamp) { known in
      let definitions = try origin.load()
      let served = try ServedDefinitions(definitions, tables: tables.load(for: definitions))
      if definitions != known.definitions { try prepare(definitions) }
      return served
    }
  }
}
