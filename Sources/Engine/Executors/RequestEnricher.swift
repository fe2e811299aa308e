import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Adds the columns that are not stored but looked up or computed when events are read.
package struct RequestEnricher: Sendable {
  private let shapes: [Shape]
  /// Event type → its place in `shapes`.
  private let shapeOfType: [String: Int]
  /// What the event types add.
  package let fields: [Field]

  private struct Shape: Sendable {
    var steps: [EnrichmentStep]
  }

  /// - Parameters:
  ///   - types: the event types of a sequence.
  ///   - tables: the look-ups' tables, by name; all that `types` use at request time.
  /// - Returns: nil when the event types add nothing.
  package init?(
    _ types: [EventTypeDefinition], definitions: DefinitionSet, tables: [String: LookupTable]
  ) throws(ExpressionErrors) {
    var shapes: [Shape] = []
    var shapeOfType: [String: Int] = [:]
    var known: [[Enrichment]] = []
    for type in types where !type.requestEnrichments.isEmpty {
      if let place = known.firstIndex(of: type.requestEnrichments) {
        shapeOfType[type.name] = place
        continue
      }
      var schema = definitions.dataset(type.dataset)?.schema ?? Schema([])
      let steps = try EnrichmentStep.steps(
        type.requestEnrichments, extending: &schema, definitions: definitions, tables: tables)
      shapeOfType[type.name] = shapes.count
      known.append(type.requestEnrichments)
      shapes.append(Shape(steps: steps))
    }
    if shapes.isEmpty { return nil }
    self.shapes = shapes
    self.shapeOfType = shapeOfType
    fields = shapes.flatMap(\.steps).flatMap(\.outputs).reduce(into: []) { fields, field in
      if !fields.contains(where: { $0.name == field.name }) { fields.append(field) }
    }
  }

  /// The part that adds some columns.
  ///
  /// - Returns: nil when none of `names` is added.
  package func adding(_ names: Set<String>) -> RequestEnrichment? {
    let steps = shapes.map { shape in
      var (needed, steps): (Set<String>, [EnrichmentStep]) = (names, [])
      for step in shape.steps.reversed() where step.outputs.contains(where: { needed.contains($0.name) }) {
        needed.formUnion(step.inputs)
        steps.insert(step, at: 0)
      }
      return steps
    }
    if steps.allSatisfy(\.isEmpty) { return nil }
    return RequestEnrichment(steps: steps, shapeOfType: shapeOfType, outputs: fields.filter { names.contains($0.name) })
  }
}

/// Adds some columns to events that were read.
package struct RequestEnrichment {
  /// Per shape, only those that are needed.
  let steps: [[EnrichmentStep]]
  let shapeOfType: [String: Int]
  /// What is added.
  package let outputs: [Field]

  /// The columns that must have been read, some of which steps add.
  package var inputs: [String] {
    [SystemColumns.ts, SystemColumns.eventType] + steps.joined().flatMap(\.inputs)
  }

  /// - Parameters:
  ///   - events: with the columns `inputs`, as far as they are stored.
  ///   - coverage: by look-up, what was found and what was not, added up.
  /// - Returns: the columns `outputs`: of events whose type does not add one what is stored, or null.
  package func columns(
    of events: RecordBatch, coverage: inout [String: RunReport.Coverage]
  ) -> [ArrowArray] {
    var (batches, rowsOfBatches): ([RecordBatch], [[Int32]]) = ([], [])
    for (shape, rows) in rows(of: events[SystemColumns.eventType]!) {
      let part = rows.count == events.rowCount ? events : events.take(Buffer(rows))
      batches.append(enriched(part, shape, &coverage))
      rowsOfBatches.append(rows)
    }
    if batches.count == 1 { return batches[0].columns }
    var places = [RowReference](repeating: .null, count: events.rowCount)
    for (batch, rows) in rowsOfBatches.enumerated() {
      for (place, row) in rows.enumerated() {
        places[Int(row)] = RowReference(source: Int32(batch), row: Int32(place))
      }
    }
    if batches.isEmpty { return outputs.map { ArrowArray(nulls: $0.type, count: events.rowCount) } }
    return RecordBatch.interleave(batches, Buffer(places)).columns
  }

  private func enriched(
    _ events: RecordBatch, _ shape: Int?, _ coverage: inout [String: RunReport.Coverage]
  ) -> RecordBatch {
    var columns: [String: ArrowArray] = [:]
    var rows = events
    for step in shape.map({ steps[$0] }) ?? [] {
      let added: [ArrowArray]
      switch step {
      case .lookup(let table, let on, _):
        let match = table.match(rows[on]!, ts: rows[SystemColumns.ts]!)
        coverage[table.name, default: .init()].hits += match.hits
        coverage[table.name, default: .init()].misses += match.misses
        added = table.values(for: match)
      case .derive(_, let expression): added = [expression.evaluate(batch: rows).array]
      }
      for (field, values) in zip(step.outputs, added) { columns[field.name] = values }
      rows = rows.replacing(zip(step.outputs, added).map { ($0.name, $1) })
    }
    let values = outputs.map { field in
      let stored = events[field.name]?.decoded()
      return columns[field.name] ?? stored ?? ArrowArray(nulls: field.type, count: events.rowCount)
    }
    return RecordBatch(Schema(outputs), values, rowCount: events.rowCount)
  }

  /// The rows of each shape, and of what has none.
  private func rows(of types: ArrowArray) -> [(shape: Int?, rows: [Int32])] {
    guard let coded = types.dictionaryEncoded() else { return [] }
    let names = coded.children[0]
    let shapes = (0..<names.count).map { shapeOfType[names.string($0)] }
    var rows: [Int?: [Int32]] = [:]
    for row in 0..<types.count { rows[shapes[coded.dictionaryIndex(row)], default: []].append(Int32(row)) }
    return rows.sorted { $0.key ?? -1 < $1.key ?? -1 }.map { ($0.key, $0.value) }
  }
}

extension RecordBatch {
  /// With columns added, or put in the place of those of the same name.
  fileprivate func replacing(_ columns: [(name: String, values: ArrowArray)]) -> RecordBatch {
    let kept = schema.fields.map(\.name).filter { name in !columns.contains { $0.name == name } }
    return selecting(kept).appending(columns)
  }
}
