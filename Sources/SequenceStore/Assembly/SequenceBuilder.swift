import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

/// Turns events in order into rows of lists.
struct SequenceBuilder {
  private let columns: SequenceColumns
  private let trimmer: SequenceTrimmer
  let schema: Schema

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
    let events = columns.filter.map { events.filter($0.trueRows(of: events)) } ?? events
    let users = events.columns[0]
    let runs = users.runs
    let selection = trimmer.select(
      runs, times: events[SystemColumns.ts]!.values, types: events[SystemColumns.eventType]!)
    let chosen = events.take(selection.rows)
    let offsets = Buffer(selection.offsets)
    func list(_ child: ArrowArray) -> ArrowArray {
      let type = DataType.list(Field("item", child.type))
      return ArrowArray(type, count: selection.users.count, storage: .list(offsets: offsets, child: child))
    }
    let computed = columns.history.map { list($0.values(events, users: runs, rows: selection.rows)) }
    let shown = schema.fields.dropFirst().dropLast(computed.count).map { list(chosen[$0.name]!.decoded()) }
    return RecordBatch(
      schema, [users.take(Buffer(selection.users)).decoded()] + shown + computed, rowCount: selection.users.count)
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
}
