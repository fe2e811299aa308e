import Arrow
import ArrowKernels
import Buffers
import Definitions
import JSONColumns

/// One stage of a pipeline: what it reads, and what becomes of each batch.
///
/// The same stage runs over a day's files and over an endless stream: batch and streaming differ in what stands before it.
package struct PipelineStage: Sendable {
  /// The work on batches. Each thread has its own, so that it may keep scratch memory.
  package typealias Transform = (_ batch: RecordBatch, _ report: inout RunReport) throws -> [RecordBatch]

  /// How raw text is decoded; nil for stages that take frames only.
  package struct TextInput: Sendable {
    package var source: SourceDefinition
    /// The fields that are extracted.
    package var fields: [SourceField]

    package init(source: SourceDefinition, fields: [SourceField]) {
      self.source = source
      self.fields = fields
    }
  }

  package var definitions: DefinitionSet
  package var text: TextInput?
  /// The kind of rows that frames may hold: `raw` or `event`.
  package var inputKind: String
  /// Whether nothing at all on a pipe is text without lines, and not the silence of a stage that died.
  package var takesEmptyPipe: Bool
  /// Of all batches that the stage may give out.
  package var schemas: [Schema]
  /// What is to be said about the run before its first row.
  package var report = RunReport()
  package var makeTransform: @Sendable () throws -> Transform

  package init(
    definitions: DefinitionSet, text: TextInput?, inputKind: String, takesEmptyPipe: Bool = false, schemas: [Schema],
    makeTransform: @escaping @Sendable () throws -> Transform
  ) {
    self.definitions = definitions
    self.text = text
    self.inputKind = inputKind
    self.takesEmptyPipe = takesEmptyPipe
    self.schemas = schemas
    self.makeTransform = makeTransform
  }
}

extension PipelineStage {
  /// Text to raw events, and nothing else.
  package static func ingest(
    _ source: SourceDefinition, definitions: DefinitionSet
  ) throws(JSONFieldError) -> PipelineStage {
    let decoder = try RawDecoder(source, fields: source.fields, definitions: definitions)
    return PipelineStage(
      definitions: definitions, text: TextInput(source: source, fields: source.fields), inputKind: "raw",
      takesEmptyPipe: true, schemas: [decoder.schema]
    ) {
      { batch, _ in [batch] }
    }
  }

  /// Raw events to the events of the given types.
  package static func filter(
    _ types: [EventTypeDefinition], source: SourceDefinition, definitions: DefinitionSet, keepsRetractions: Bool
  ) throws -> PipelineStage {
    let filter = try EventFilter(types, source: source, definitions: definitions)
    return PipelineStage(
      definitions: definitions, text: TextInput(source: source, fields: filter.fields), inputKind: "raw",
      schemas: filter.schemas
    ) {
      { raw, report in
        guard raw.schema.metadata[MetadataKey.source] == source.name else {
          throw WrongInput(expected: "raw events of '\(source.name)'", found: raw.schema.metadata[MetadataKey.source])
        }
        let events = try filter.events(of: raw, report: &report)
        return keepsRetractions ? events : events.compactMap { $0.withoutRetractions }
      }
    }
  }

  /// The same stage, but each batch that it gives out holds the events of one shard, and says which.
  package func routed(to router: ShardRouter) -> PipelineStage {
    var stage = self
    let makeTransform = makeTransform
    stage.makeTransform = {
      let transform = try makeTransform()
      return { batch, report in try transform(batch, &report).flatMap(router.routed) }
    }
    return stage
  }

  /// Events to enriched events.
  package static func enrich(definitions: DefinitionSet, tables: [String: LookupTable]) throws -> PipelineStage {
    let enricher = try EventEnricher(definitions.eventTypes, definitions: definitions, tables: tables)
    var stage = PipelineStage(definitions: definitions, text: nil, inputKind: "event", schemas: enricher.schemas) {
      var worker = EventEnricher.Worker(enricher)
      return { events, report in try worker.enrich(events, report: &report) }
    }
    stage.report.repeatedKeys = tables.mapValues(\.repeatedKeyCount).filter { $0.value > 0 }
    return stage
  }
}

/// Rows of a kind that a stage cannot work on.
package struct WrongInput: Error, CustomStringConvertible {
  package var expected: String
  package var found: String?

  package var description: String {
    "the input holds \(found.map { "'\($0)'" } ?? "something else") where \(expected) belong; check the order of the stages"
  }
}

extension RecordBatch {
  /// The rows that are events; nil when there are none.
  var withoutRetractions: RecordBatch? {
    guard let events = eventRows else { return self }
    let kept = filter(events)
    return kept.rowCount == 0 ? nil : kept
  }
}
