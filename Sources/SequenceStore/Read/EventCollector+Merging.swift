import Arrow
import Definitions

/// What a collector merges events with.
struct EventMerging {
  let definition: MergeDefinition
  /// Whether the column of actions is asked for.
  let hasActions: Bool
  /// By source.
  fileprivate var inputs: [Int: MergeInputs] = [:]
  fileprivate var texts = TextNumbers()
  fileprivate var groups: MergeGroups
  /// The group of each row found.
  fileprivate var groupOfFound: [Int] = []

  /// Nil where the request wants events as they are.
  init?(_ plan: SequencePlan, _ request: SequenceRequest) {
    guard request.view == .events, let merge = plan.definition.merge else { return nil }
    definition = merge
    hasActions = request.columns.contains { $0.name == merge.actions?.name }
    groups = MergeGroups(withinMicros: merge.withinMicros)
  }

  /// How far before the oldest row found events may belong to its group, as far as that matters.
  var lookBackMicros: Int64 { hasActions ? definition.withinMicros : 0 }

  mutating func restart() { (groups, groupOfFound) = (MergeGroups(withinMicros: definition.withinMicros), []) }

  /// The column of actions of the rows found, oldest first.
  var actions: ArrowArray? {
    guard hasActions else { return nil }
    return definition.actions?.array(groupOfFound.reversed().map { groups.actions[$0] })
  }
}

extension EventCollector {
  /// Takes in what merging reads of a source.
  mutating func addMergeInputs(_ index: Int, using context: inout DecodingContext) throws(StoreError) {
    guard merging != nil, merging!.inputs[index] == nil else { return }
    let events = try sources[index].columns(plan.mergeFields, at: 0..<sources[index].rows.count, using: &context)
    merging!.inputs[index] = MergeInputs(
      merging!.definition, events, withActions: merging!.hasActions, &merging!.texts)
  }

  /// Whether no event before this time can be of a group of a row found.
  func isMerged(before micros: Int64) -> Bool {
    guard let merging, merging.hasActions, let oldest = found.last else { return true }
    return micros <= oldest.micros.addingSaturated(-merging.definition.withinMicros)
  }

  /// Adds an event, none newer than those before, to its group.
  /// - Returns: the group, if the event is the newest there.
  mutating func begin(_ row: Found) -> Int? {
    let inputs = merging!.inputs[Int(row.id.source)]!
    let place = Int(row.id.place)
    let (group, isNewest) = merging!.groups.add(
      key: inputs.key(place), micros: row.micros, actions: inputs.actions(place))
    return isNewest ? group : nil
  }

  mutating func noteFound(inGroup group: Int) { merging!.groupOfFound.append(group) }
}
