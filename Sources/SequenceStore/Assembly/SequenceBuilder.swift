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
    let lists = definition.fields.filter { $0.name != SystemColumns.user }.map { field in
      Field(field.name, .list(Field("item", field.type)), isNullable: false)
    }
    let metadata = [
      MetadataKey.kind: "sequence", MetadataKey.definitions: label, MetadataKey.order: "user",
    ]
    schema = Schema([user] + lists, metadata: metadata)
    self.columns = columns
    self.trimmer = trimmer
  }

  /// - Parameters:
  ///   - events: of whole users, in order.
  ///   - coverage: by look-up, what was found and what was not, added up.
  /// - Returns: a row per user with at least one event in the sequence.
  func sequences(_ events: RecordBatch, coverage: inout [String: RunReport.Coverage]) -> RecordBatch {
    let events = columns.filter.map { events.filter($0.trueRows(of: events)) } ?? events
    let users = events.columns[0]
    let runs = users.runs
    let selection = trimmer.select(runs, of: events)
    let chosen = events.take(selection.rows)
    let offsets = Buffer(selection.offsets)
    func list(_ child: ArrowArray) -> ArrowArray {
      let type = DataType.list(Field("item", child.type))
      return ArrowArray(type, count: selection.users.count, storage: .list(offsets: offsets, child: child))
    }
    let history = columns.history.map { $0.values(events, users: runs, rows: selection.rows) }
    let computed = (history + (selection.actions.map { [$0] } ?? [])).map(list)
    let added = columns.enrichment.map { enrichment in
      let values = enrichment.columns(of: chosen, coverage: &coverage)
      return Dictionary(uniqueKeysWithValues: zip(enrichment.outputs.map(\.name), values))
    }
    let shown = schema.fields.dropFirst().dropLast(computed.count).map { field in
      list(added?[field.name] ?? chosen[field.name]!.decoded())
    }
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
