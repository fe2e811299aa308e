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
  ///   - untilMicros: the sequences' end, exclusive; nil: each user's window ends with the last event.
  /// - Throws: `ExpressionErrors` of the sequence's filters.
  package init(
    _ definition: SequenceDefinition, in definitions: DefinitionSet, untilMicros: Int64? = nil,
    options: AssemblyOptions = AssemblyOptions()
  ) throws(ExpressionErrors) {
    let datasets = definition.eventTypes.compactMap { definitions.eventType($0)?.dataset }
    let known = datasets.compactMap { definitions.dataset($0) }.flatMap(\.schema.fields)
    let plan = try SequenceColumns(definition, Schema(known))
    projection = SequenceProjection(definition, needing: plan.names, known: known, label: definitions.label)
    builder = SequenceBuilder(
      definition, plan, SequenceTrimmer(definition, untilMicros: untilMicros), user: projection.schema.fields[0],
      label: definitions.label)
    var options = options
    options.keepsRetractions = false
    assembler = Assembler(options)
  }

  /// Adds events of any dataset; those of event types outside the sequence are left out.
  package mutating func append(_ batch: RecordBatch) throws { try assembler.append(try projection.project(batch)) }

  /// Gives out all users' sequences, in the order of users; `rowsOut` of the answer counts users.
  package mutating func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    let builder = builder
    var carried: [RecordBatch] = []
    var userCount = 0
    func give(_ events: [RecordBatch]) throws {
      if events.isEmpty { return }
      let sequences = builder.sequences(RecordBatch.concatenate(events))
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
    return counts
  }
}

/// What a sequence computes with: its filters, compiled, and the columns that they and its lists read.
struct SequenceColumns {
  let filter: CheckedExpression?
  let history: [HistoryComputer]
  let names: [String]

  /// - Parameter schema: the columns of all the sequence's datasets.
  init(_ definition: SequenceDefinition, _ schema: Schema) throws(ExpressionErrors) {
    filter = if let text = definition.filter { try Expression.compile(text, schema: schema) } else { nil }
    var names = definition.columns.map(\.name) + (filter?.columnNames ?? [])
    var history: [HistoryComputer] = []
    for column in definition.history {
      let computer = try HistoryComputer(column, schema)
      history.append(computer)
      names += computer.inputs
    }
    self.history = history
    self.names = names
  }
}

/// Turns events in order into rows of lists.
struct SequenceBuilder {
  private let columns: SequenceColumns
  private let trimmer: SequenceTrimmer
  private let schema: Schema

  init(
    _ definition: SequenceDefinition, _ columns: SequenceColumns, _ trimmer: SequenceTrimmer, user: Field, label: String
  ) {
    let shown = definition.columns.filter { $0.name != SystemColumns.user }
    let lists = (shown + definition.history.map { Field($0.name, $0.type) }).map { field in
      Field(field.name, .list(Field("item", field.type)), isNullable: false)
    }
    let metadata = [
      MetadataKey.kind: "sequence", MetadataKey.definitions: label, MetadataKey.order: "user",
    ]
    schema = Schema([user] + lists, metadata: metadata)
    self.columns = columns
    self.trimmer = trimmer
  }

  /// - Parameter events: of whole users, in order.
  /// - Returns: a row per user with at least one event in the sequence.
  func sequences(_ events: RecordBatch) -> RecordBatch {
    let isKept = columns.filter.map { $0.evaluate(batch: events).trueRows }
    let users = events.columns[0]
    let selection = trimmer.select(
      users.runs, times: events[SystemColumns.ts]!.values, types: events[SystemColumns.eventType]!, isKept: isKept)
    let chosen = events.take(selection.rows)
    let ranges = zip(selection.offsets, selection.offsets.dropFirst()).map { Int($0)..<Int($1) }
    let offsets = Buffer(selection.offsets)
    func list(_ child: ArrowArray) -> ArrowArray {
      let type = DataType.list(Field("item", child.type))
      return ArrowArray(type, count: ranges.count, storage: .list(offsets: offsets, child: child))
    }
    let times = chosen[SystemColumns.ts]!.values
    let computed = columns.history.map { list($0.values(chosen, times: times, users: ranges)) }
    let shown = schema.fields.dropFirst().dropLast(computed.count).map { list(chosen[$0.name]!.decoded()) }
    return RecordBatch(
      schema, [users.take(Buffer(selection.users)).decoded()] + shown + computed, rowCount: ranges.count)
  }
}

extension ArrowArray {
  /// The rows of each value, where equal ones lie together.
  fileprivate var runs: [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for row in 0..<count where row + 1 == count || !isEqual(row, to: self, row + 1) {
      runs.append(start..<row + 1)
      start = row + 1
    }
    return runs
  }

  /// The rows at the end that equal the last one.
  fileprivate var lastRun: Range<Int> {
    var start = count - 1
    while start > 0 && isEqual(start - 1, to: self, count - 1) { start -= 1 }
    return start..<count
  }
}
