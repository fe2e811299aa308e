import Arrow
import Definitions
import SequenceStore
import Synchronization

/// Definitions with the plans of their sequences. Immutable; a request is answered from one of them.
final class ServedDefinitions: Sendable {
  let definitions: DefinitionSet
  let plans: [String: SequencePlan]

  /// - Throws: when a sequence's expressions do not fit the datasets.
  init(_ definitions: DefinitionSet) throws {
    self.definitions = definitions
    var plans: [String: SequencePlan] = [:]
    for sequence in definitions.sequences { plans[sequence.name] = try SequencePlan(sequence, in: definitions) }
    self.plans = plans
  }

  /// As `version:digest`.
  var label: String { "\(definitions.version):\(definitions.digest)" }

  /// The datasets that sequences read.
  var datasets: Set<String> { Set(plans.values.flatMap(\.datasets)) }

  func userType(of plan: SequencePlan) -> DataType {
    plan.datasets.first.flatMap { definitions.dataset($0)?.userType } ?? .int64
  }
}

/// The definitions that are served now, and where newer ones will come from.
final class DefinitionsView: Sendable {
  let origin: DefinitionsOrigin
  private let state: Mutex<State>

  private struct State {
    var served: ServedDefinitions
    var stamp: String?
  }

  init(_ origin: DefinitionsOrigin) throws {
    self.origin = origin
    let stamp = origin.stamp
    state = Mutex(State(served: try ServedDefinitions(origin.load()), stamp: stamp))
  }

  var current: ServedDefinitions { state.withLock { $0.served } }

  /// Takes up newer definitions, if there are any.
  ///
  /// - Parameter prepare: called before requests see them.
  /// - Throws: what is wrong with them, once for each change; the old ones stay.
  func refresh(prepare: (DefinitionSet) throws -> Void) throws {
    guard let stamp = origin.stamp else { return }
    let isNew = state.withLock { state in
      defer { state.stamp = stamp }
      return state.stamp != stamp
    }
    guard isNew else { return }
    let served = try ServedDefinitions(origin.load())
    guard served.definitions != current.definitions else { return }
    try prepare(served.definitions)
    state.withLock { $0.served = served }
  }
}
