import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine
import Expressions

/// Assembles one row per user: the user and a list per column of the sequence, oldest event first.
///
/// Events of all the sequence's datasets are brought under one schema and into order; retractions and superseded rows
/// are gone before the sequence's filter, window, caps and length decide, in this order.
package struct SequenceAssembler: ~Copyable {
  private let projection: SequenceProjection
  private let builder: SequenceBuilder
  private var assembler: Assembler

  /// - Parameters:
  ///   - tables: of the look-ups that are used when events are read.
  ///   - untilMicros: the sequences' end, exclusive; nil: each user's window ends with the last event.
  /// - Throws: `ExpressionErrors` of the sequence's filters; `TablesMissing`.
  package init(
    _ definition: SequenceDefinition, in definitions: DefinitionSet, tables: [String: LookupTable] = [:],
    untilMicros: Int64? = nil, options: AssemblyOptions = AssemblyOptions()
  ) throws {
    let datasets = definition.eventTypes.compactMap { definitions.eventType($0)?.dataset }
    let known = datasets.compactMap { definitions.dataset($0) }.flatMap(\.schema.fields)
    let enricher = try definition.enricher(in: definitions, tables: tables)
    let plan = try SequenceColumns(definition, Schema(known), enricher)
    projection = SequenceProjection(definition, needing: plan.names, known: known, label: definitions.label)
    builder = SequenceBuilder(
      definition, plan, SequenceTrimmer(definition, untilMicros: untilMicros), user: projection.schema.fields[0],
      label: definitions.label)
    var options = options
    options.keepsRetractions = false
    assembler = Assembler(options)
  }

  /// Of the rows to come.
  package var schema: Schema { builder.schema }

  /// Adds events of any dataset; those of event types outside the sequence are left out.
  package mutating func append(_ batch: RecordBatch) throws { try assembler.append(try projection.project(batch)) }

  /// Gives out all users' sequences, in the order of users; `rowsOut` of the answer counts users.
  package mutating func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    let builder = builder
    var carried: [RecordBatch] = []
    var userCount = 0
    var coverage: [String: RunReport.Coverage] = [:]
    func give(_ events: [RecordBatch]) throws {
      if events.isEmpty { return }
      let sequences = builder.sequences(RecordBatch.concatenate(events), coverage: &coverage)
      userCount += sequences.rowCount
      if sequences.rowCount > 0 { try emit(sequences) }
    }
    // A user's events may go on in the next batch.
    var counts = try assembler.finish { batch in
      let users = batch.columns[0]
      let last = users.lastRun.lowerBound
      if last == 0, let before = carried.last?.columns[0], before.isEqual(before.count - 1, to: users, 0) {
        carried.append(batch)
        return
      }
      try give(carried + (last > 0 ? [batch.slice(0..<last)] : []))
      carried = [batch.slice(last..<batch.rowCount)]
    }
    try give(carried)
    counts.rowsOut = userCount
    counts.coverage = coverage
    return counts
  }
}

extension ArrowArray {
  /// The rows at the end that equal the last one.
  fileprivate var lastRun: Range<Int> {
    var start = count - 1
    while start > 0 && isEqual(start - 1, to: self, count - 1) { start -= 1 }
    return start..<count
  }
}
