import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Adds the columns of the definitions' look-ups and derived expressions to events.
///
/// Look-up columns come as dictionary arrays, so that an embedding that many events share travels once a frame.
package struct EventEnricher: Sendable {
  private let shapes: [Shape]
  /// Event type → its place in `shapes`.
  private let shapeOfType: [String: Int]

  /// The steps of the event types of one shape.
  private struct Shape: Sendable {
    /// The columns that events bring: the system's and their own.
    var inputs: [Field]
    var steps: [EnrichmentStep]
    /// What comes out.
    var schema: Schema
  }

  /// - Parameters:
  ///   - types: the event types to enrich.
  ///   - tables: the look-ups' tables, by name; all that `types` use.
  package init(
    _ types: [EventTypeDefinition], definitions: DefinitionSet, tables: [String: LookupTable]
  ) throws(ExpressionErrors) {
    var shapes: [Shape] = []
    var shapeOfType: [String: Int] = [:]
    for (shape, types) in types.grouped(by: { EventShape($0) }) {
      for type in types { shapeOfType[type.name] = shapes.count }
      var made = try Self.shape(types[0], definitions: definitions, tables: tables)
      made.schema.metadata = shape.metadata(of: types, definitions)
      shapes.append(made)
    }
    self.shapes = shapes
    self.shapeOfType = shapeOfType
  }

  private static func shape(
    _ type: EventTypeDefinition, definitions: DefinitionSet, tables: [String: LookupTable]
  ) throws(ExpressionErrors) -> Shape {
    let userType = definitions.dataset(type.dataset)?.userType ?? .int64
    let inputs = SystemColumns.fields(userType: userType) + type.columns.map(\.field)
    var schema = Schema(inputs)
    let steps = try EnrichmentStep.steps(
      type.enrichments, extending: &schema, definitions: definitions, tables: tables)
    return Shape(inputs: inputs, steps: steps, schema: schema)
  }

  /// Of the batches that it gives out, whose look-up columns are dictionaries of these types.
  package var schemas: [Schema] { shapes.map(\.schema) }

  /// The event types whose definitions this enricher knows.
  package func knows(_ eventType: String) -> Bool { shapeOfType[eventType] != nil }

  /// A thread's part of the work; it keeps scratch memory.
  package struct Worker {
    private let enricher: EventEnricher
    private var scratch: [String: LookupScratch] = [:]

    package init(_ enricher: EventEnricher) { self.enricher = enricher }

    /// - Parameter events: events of one or several types. Columns that are no event's own, such as those of an earlier
    ///   enrichment, are dropped.
    /// - Returns: the same events, a batch per shape of event type.
    /// - Throws: `UnknownEventType`; `WrongColumn`.
    package mutating func enrich(_ events: RecordBatch, report: inout RunReport) throws -> [RecordBatch] {
      try events.require([EventEnricher.typeColumn])
      var batches: [RecordBatch] = []
      for (shape, rows) in try enricher.split(events) {
        try rows.require(shape.inputs)
        batches.append(enrich(rows.selecting(shape.inputs.map(\.name)), shape, report: &report))
      }
      return batches
    }

    private mutating func enrich(_ events: RecordBatch, _ shape: Shape, report: inout RunReport) -> RecordBatch {
      var rows = events
      let isEvent = events.eventRows
      for step in shape.steps {
        switch step {
        case .lookup(let table, let on, let prefix):
          let match = table.match(rows[on]!, ts: rows[SystemColumns.ts]!)
          report.coverage[table.name, default: .init()].hits += match.hits
          report.coverage[table.name, default: .init()].misses += match.misses
          let columns = table.columns(for: match, scratch: &scratch[table.name, default: LookupScratch()])
          rows = rows.appending(zip(table.fields, columns).map { (prefix + $0.name, $1) })
        case .derive(let column, let expression):
          let (values, errorCount) = expression.evaluate(batch: rows).values(of: isEvent)
          if errorCount > 0 { report.expressionErrors[column.name, default: 0] += errorCount }
          rows = rows.appending([(column.name, values)])
        }
      }
      return rows
    }
  }

  private static let typeColumn = Field(SystemColumns.eventType, .utf8, isNullable: false)

  /// The rows of each shape among events; usually all are of one.
  private func split(_ events: RecordBatch) throws(UnknownEventType) -> [(Shape, RecordBatch)] {
    guard let types = events[SystemColumns.eventType]!.dictionaryEncoded() else { return [] }
    let codes = types.dictionaryIndices().span(of: Int32.self)
    var shapeOfCode = [Int?](repeating: nil, count: types.children[0].count)
    for row in codes.indices where shapeOfCode[Int(codes[row])] == nil {
      let name = types.children[0].string(Int(codes[row]))
      guard let shape = shapeOfType[name] else { throw UnknownEventType(name: name) }
      shapeOfCode[Int(codes[row])] = shape
    }
    let used = Set(shapeOfCode.compactMap(\.self)).sorted()
    if used.count == 1 { return [(shapes[used[0]], events)] }
    return used.map { shape in
      let rows = codes.indices.filter { shapeOfCode[Int(codes[$0])] == shape }
      return (shapes[shape], events.take(Buffer(rows.map { Int32($0) })))
    }
  }
}

/// Events of a type that the definitions do not name.
package struct UnknownEventType: Error, Equatable, CustomStringConvertible {
  package var name: String

  package init(name: String) { self.name = name }

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
