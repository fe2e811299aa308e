import Arrow
import Expressions

extension DefinitionCompiler {
  /// Puts the enrichments in an order in which each finds the columns it reads, and deduces their types.
  ///
  /// Steps keep the order of their declaration as far as they can.
  /// - Parameter own: the columns that they find.
  /// - Returns: those columns and what the steps add.
  func compileEnrichments(
    _ steps: inout [Enrichment], _ own: ExpressionScope, _ place: DefinitionError.Place
  ) -> ExpressionScope {
    var ordering = EnrichmentOrdering(scope: own)
    for (index, step) in steps.enumerated() {
      let place = place.at("[\(index)]")
      let outputs = outputs(of: step, place)
      checkColumns(outputs.map { ($0, place) }, besides: ordering.names(with: own.names))
      ordering.pending.append(.init(step: step, outputs: outputs, place: place))
    }
    while let index = ordering.pending.firstIndex(where: { ordering.missing(of: $0).isEmpty }) {
      apply(ordering.pending.remove(at: index), &ordering)
    }
    for cycle in ordering.cycles() { faults.add(.cycle(cycle.names), at: cycle.place) }
    steps = ordering.ordered
    return ordering.scope
  }

  /// The names of the columns that a step adds.
  private func outputs(of step: Enrichment, _ place: DefinitionError.Place) -> [String] {
    switch step {
    case .derive(let column): return [column.name]
    case .lookup(let use):
      if set.lookup(use.lookup) == nil, !use.lookup.isEmpty {
        faults.add(.unknown("lookup", use.lookup, known: set.lookups.map(\.name)), at: place.at("lookup"))
      }
      return set.outputs(of: use).map(\.name)
    }
  }

  private func apply(_ entry: EnrichmentOrdering.Pending, _ ordering: inout EnrichmentOrdering) {
    switch entry.step {
    case .derive(var column):
      let type = ordering.scope.type(of: column.expression, at: entry.place.at(column.name), faults)
      checkRecorded(column.type, type, at: entry.place.at(column.name))
      column.type = type ?? .null
      ordering.add(.derive(column), [column.field])
    case .lookup(let use):
      checkKey(use, ordering.scope, entry.place.at("on"))
      ordering.add(entry.step, set.outputs(of: use))
    }
  }

  private func checkKey(_ use: LookupUse, _ scope: ExpressionScope, _ place: DefinitionError.Place) {
    guard let lookup = set.lookup(use.lookup), !scope.broken.contains(use.on) else { return }
    guard let column = scope.schema[use.on] else {
      if !scope.isExcused(use.on) { faults.add(scope.unknown(use.on), at: place) }
      return
    }
    let kind: LookupDefinition.KeyKind? = column.type.isInteger ? .integer : column.type == .utf8 ? .string : nil
    if kind != lookup.keyKind { faults.add(.keyKind(column: column, lookup), at: place) }
  }
}

/// The enrichments of an event type on their way into an order.
struct EnrichmentOrdering {
  struct Pending {
    var step: Enrichment
    var outputs: [String]
    var place: DefinitionError.Place
  }

  /// What the steps in `ordered` and the event's own columns offer.
  var scope: ExpressionScope
  var pending: [Pending] = []
  private(set) var ordered: [Enrichment] = []

  init(scope: ExpressionScope) { self.scope = scope }

  mutating func add(_ step: Enrichment, _ columns: [Field]) {
    ordered.append(step)
    for column in columns { scope.add(column) }
  }

  /// The names in use before another step is declared.
  func names(with own: [String]) -> Set<String> { Set(own + pending.flatMap(\.outputs)) }

  /// The columns that a step reads and another pending step is to add.
  func missing(of entry: Pending) -> [String] {
    let offered = Set(pending.flatMap(\.outputs))
    switch entry.step {
    case .lookup(let use): return scope.schema[use.on] == nil && offered.contains(use.on) ? [use.on] : []
    case .derive(let column):
      guard case .failure(let errors) = scope.check(column.expression) else { return [] }
      return errors.unknownNames.map(Self.columnName).filter(offered.contains)
    }
  }

  /// The column of `embedding.size`, which the checker names in full when nothing of it is known.
  private static func columnName(_ name: String) -> String { String(name.prefix { $0 != "." }) }

  /// The circles among the steps that are left, each once; steps that only wait for a circle are not named.
  func cycles() -> [(names: [String], place: DefinitionError.Place)] {
    var found: [(names: [String], place: DefinitionError.Place)] = []
    var visited: Set<Int> = []
    for start in pending.indices where !visited.contains(start) {
      var path: [(index: Int, column: String)] = []
      var next: (index: Int, column: String)? = (start, pending[start].outputs.first ?? "")
      while let step = next {
        if let first = path.firstIndex(where: { $0.index == step.index }) {
          found.append((path[first...].map(\.column) + [path[first].column], pending[step.index].place))
          break
        }
        guard visited.insert(step.index).inserted else { break }
        path.append(step)
        next = supplier(of: pending[step.index])
      }
    }
    return found
  }

  private func supplier(of entry: Pending) -> (index: Int, column: String)? {
    for column in missing(of: entry) {
      if let index = pending.firstIndex(where: { $0.outputs.contains(column) }) { return (index, column) }
    }
    return nil
  }
}
