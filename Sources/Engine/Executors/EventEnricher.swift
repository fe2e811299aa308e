import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Adds the columns of the definitions' look-ups and derived expressions to events.
///
/// Look-up columns come as dictionary arrays, so that an embedding that many events share travels once a frame.
package struct EventEnricher: Sendable {
  private let steps: [String: Shape]

  /// The steps of the event types of one shape.
  private struct Shape: Sendable {
    var shape: EventShape
    var steps: [Step]
    /// The feature columns in the order of the definitions, enrichments included.
    var features: [Field]
  }

  private enum Step: Sendable {
    case lookup(LookupTable, on: String, prefix: String)
    case derive(ComputedColumn, CheckedExpression)
  }

  /// - Parameters:
  ///   - types: the event types to enrich.
  ///   - tables: the look-ups' tables, by name; all that `types` use.
  package init(
    _ types: [EventTypeDefinition], definitions: DefinitionSet, tables: [String: LookupTable]
  ) throws(ExpressionErrors) {
    var steps: [String: Shape] = [:]
    for (shape, types) in types.grouped(by: { EventShape($0) }) {
      let made = try Self.shape(shape, types[0], definitions: definitions, tables: tables)
      for type in types { steps[type.name] = made }
    }
    self.steps = steps
  }

  private static func shape(
    _ shape: EventShape, _ type: EventTypeDefinition, definitions: DefinitionSet, tables: [String: LookupTable]
  ) throws(ExpressionErrors) -> Shape {
    let userType = definitions.dataset(type.dataset)?.userType ?? .int64
    var schema = Schema(SystemColumns.fields(userType: userType) + type.columns.map(\.field))
    var steps: [Step] = []
    for enrichment in shape.enrichments {
      switch enrichment {
      case .lookup(let use):
        steps.append(.lookup(tables[use.lookup]!, on: use.on, prefix: use.prefix))
        schema.fields += definitions.outputs(of: use)
      case .derive(let column):
        steps.append(.derive(column, try Expression.compile(column.expression, schema: schema)))
        schema.fields.append(column.field)
      }
    }
    return Shape(shape: shape, steps: steps, features: definitions.features(of: type))
  }

  /// The event types whose definitions this enricher knows.
  package func knows(_ eventType: String) -> Bool { steps[eventType] != nil }

  /// A thread's part of the work; it keeps scratch memory.
  package struct Worker {
    private let enricher: EventEnricher
    private var scratch: [String: LookupScratch] = [:]

    package init(_ enricher: EventEnricher) { self.enricher = enricher }

    /// - Parameter events: events of one or several types, not enriched yet.
    /// - Returns: the same events, a batch per shape of event type.
    /// - Throws: `UnknownEventType`.
    package mutating func enrich(_ events: RecordBatch, report: inout RunReport) throws(UnknownEventType)
      -> [RecordBatch]
    {
      var batches: [RecordBatch] = []
      for (shape, rows) in try enricher.split(events) { batches.append(enrich(rows, shape, report: &report)) }
      return batches
    }

    private mutating func enrich(_ events: RecordBatch, _ shape: Shape, report: inout RunReport) -> RecordBatch {
      var rows = events
      for step in shape.steps {
        switch step {
        case .lookup(let table, let on, let prefix):
          let match = table.match(rows[on]!, ts: rows[SystemColumns.ts]!)
          report.coverage[table.name, default: .init()].hits += match.hits
          report.coverage[table.name, default: .init()].misses += match.misses
          let columns = table.columns(for: match, scratch: &scratch[table.name, default: LookupScratch()])
          rows = rows.appending(zip(table.fields, columns).map { (prefix + $0.name, $1) })
        case .derive(let column, let expression):
          let value = expression.evaluate(batch: rows)
          let errorCount = value.errorCount(except: rows[SystemColumns.retracted]!)
          if errorCount > 0 { report.expressionErrors[column.name, default: 0] += errorCount }
          rows = rows.appending([(column.name, value.array)])
        }
      }
      return rows.selecting(SystemColumns.fields(userType: .int64).map(\.name) + shape.features.map(\.name))
    }
  }

  /// The rows of each shape among events; usually all are of one.
  private func split(_ events: RecordBatch) throws(UnknownEventType) -> [(Shape, RecordBatch)] {
    let names = events[SystemColumns.eventType]!
    var shapes: [EventShape: (shape: Shape, rows: [Int32])] = [:]
    var order: [EventShape] = []
    var last: (name: Buffer, shape: EventShape)?
    for row in 0..<names.count {
      let name = names.bytes(row)
      if last.map({ $0.name != name }) ?? true {
        guard let shape = steps[names.string(row)] else { throw UnknownEventType(name: names.string(row)) }
        last = (name, shape.shape)
        if shapes[shape.shape] == nil {
          shapes[shape.shape] = (shape, [])
          order.append(shape.shape)
        }
      }
      shapes[last!.shape]!.rows.append(Int32(row))
    }
    if order.count == 1 { return [(shapes[order[0]]!.shape, events)] }
    return order.map { (shapes[$0]!.shape, events.take(Buffer(shapes[$0]!.rows))) }
  }
}

/// Events of a type that the definitions do not name.
package struct UnknownEventType: Error, Equatable, CustomStringConvertible {
  package var name: String

  package var description: String {
    "event type '\(name)' is not in the definitions; run with the definitions that the stage before this one used"
  }
}

extension RecordBatch {
  func appending(_ columns: [(name: String, values: ArrowArray)]) -> RecordBatch {
    let fields = columns.map { Field($0.name, $0.values.type) }
    return RecordBatch(
      Schema(schema.fields + fields, metadata: schema.metadata), self.columns + columns.map(\.values),
      rowCount: rowCount)
  }

  /// The named columns, in that order.
  package func selecting(_ names: [String]) -> RecordBatch {
    let places = names.compactMap { schema.index(of: $0) }
    return RecordBatch(
      Schema(places.map { schema.fields[$0] }, metadata: schema.metadata), places.map { columns[$0] },
      rowCount: rowCount)
  }
}
