import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// Event types of one shape: their filters, and how their columns are computed.
struct EventGroup: Sendable {
  let explode: Explode?
  private let source: SourceDefinition
  private let types: [TypeFilter]
  private let elementKey: CheckedExpression?
  private let columns: [Column]
  /// Of the group's events.
  let schema: Schema

  fileprivate struct TypeFilter: Sendable {
    var name: String
    var filter: CheckedExpression
    /// The part of the filter that reads nothing but the source's type field: an event keeps its type for life, so a row
    /// of another type retracts nothing. Nil when there is no such part.
    var kind: CheckedExpression?
  }

  private struct Column: Sendable {
    var name: String
    var expression: CheckedExpression
  }

  init(
    _ shape: EventShape, _ types: [EventTypeDefinition], source: SourceDefinition, definitions: DefinitionSet
  ) throws(ExpressionErrors) {
    let raw = source.rawSchema(exploding: shape.explode)
    explode = shape.explode
    self.source = source
    var filters: [TypeFilter] = []
    for type in types {
      let filter = try Expression.compile(type.filter, schema: raw)
      let kind = source.type.flatMap { filter.conjunction(reading: [$0.columnName]) }
      filters.append(TypeFilter(name: type.name, filter: filter, kind: kind))
    }
    self.types = filters
    elementKey = if let key = shape.explode?.key { try Expression.compile(key, schema: raw) } else { nil }
    var columns: [Column] = []
    for column in shape.columns {
      let expression = try Expression.compile(column.expression, schema: raw)
      columns.append(Column(name: column.name, expression: expression))
    }
    self.columns = columns
    let userType = definitions.dataset(shape.dataset)?.userType ?? .int64
    schema = Schema(
      SystemColumns.fields(userType: userType) + shape.columns.map(\.field),
      metadata: shape.metadata(of: types, definitions))
  }

  /// The raw columns that any expression of the group reads.
  var rawColumns: Set<String> {
    var names = Set(types.flatMap(\.filter.columnNames))
    for column in columns { names.formUnion(column.expression.columnNames) }
    if let elementKey { names.formUnion(elementKey.columnNames) }
    return names
  }

  /// The group's events among raw ones; nil when there are none.
  func events(of raw: RecordBatch, roles: EventRoles, report: inout RunReport) -> RecordBatch? {
    guard let explode else { return events(of: raw, roles: roles, elements: [], report: &report) }
    let rows = ExplodedRows(raw, explode, source: source)
    let elements = elementTexts(of: rows.batch, report: &report)
    return events(of: rows.batch, roles: roles.take(rows.parents), elements: elements, report: &report)
  }

  /// What tells the elements of an event apart: the key, or the element's index where it has none.
  private func elementTexts(of rows: RecordBatch, report: inout RunReport) -> [ArrowArray] {
    let index = rows[Explode.indexColumn]!
    guard let elementKey else { return [index] }
    let (keys, errorCount) = elementKey.evaluate(batch: rows).values(of: nil)
    if errorCount > 0 { report.expressionErrors["explode_key", default: 0] += errorCount }
    return [keys, index]
  }

  private func events(
    of rows: RecordBatch, roles: EventRoles, elements: [ArrowArray], report: inout RunReport
  ) -> RecordBatch? {
    let picked = pick(rows, roles, report: &report)
    guard picked.count > 0 else { return nil }
    let kept = roles.take(picked.rows)
    let keys = EventKeys.keys(of: kept.ids, elements: elements.map { $0.take(picked.rows) })
    let system = [kept.user, kept.ts, kept.seenAt, picked.eventTypes, keys, kept.revision, picked.retracted]
    let columns = system + features(rows, picked, report: &report)
    return RecordBatch(schema.retyped(as: columns), columns, rowCount: picked.count)
  }

  /// The rows that become events, by event type: first those that pass its filter, then those it retracts.
  private struct PickedRows {
    /// Int32 per event.
    var rows: Buffer
    /// The same with -1 for retractions, which have no features.
    var featureRows: Buffer
    var eventTypes: ArrowArray
    var retracted: ArrowArray
    var count: Int { retracted.count }
  }

  private func pick(_ raw: RecordBatch, _ roles: EventRoles, report: inout RunReport) -> PickedRows {
    var rows = BufferBuilder()
    var featureRows = BufferBuilder()
    var names = TypeRuns()
    var retracted = BooleanBuilder()
    for type in types {
      let (selected, errorCount) = type.filter.selection(of: raw)
      if errorCount > 0 { report.expressionErrors["\(type.name) where", default: 0] += errorCount }
      let kept = selected.setIndices()
      rows.append(kept)
      featureRows.append(kept)
      let gone = type.retracted(raw, selected: selected, corrections: roles.corrections)
      rows.append(gone)
      featureRows.append(repeating: Int32(-1), count: gone.byteCount / 4)
      let (keptCount, goneCount) = (kept.byteCount / 4, gone.byteCount / 4)
      names.append(type.name, count: keptCount + goneCount)
      for index in 0..<keptCount + goneCount { retracted.append(index >= keptCount) }
      report.kept[type.name, default: 0] += keptCount
      report.retractions += goneCount
    }
    return PickedRows(
      rows: rows.finish(), featureRows: featureRows.finish(), eventTypes: names.column, retracted: retracted.take())
  }

  private func features(_ raw: RecordBatch, _ picked: PickedRows, report: inout RunReport) -> [ArrowArray] {
    let inputs = Set(columns.flatMap(\.expression.columnNames))
    let places = raw.schema.fields.indices.filter { inputs.contains(raw.schema.fields[$0].name) }
    let rows = RecordBatch(
      Schema(places.map { raw.schema.fields[$0] }), places.map { raw.columns[$0].take(picked.featureRows) },
      rowCount: picked.count)
    let events = picked.retracted.bits.setBitCount > 0 ? picked.retracted.bits.inverted() : nil
    return columns.map { column in
      // Coded texts stay so; rows that are no events were taken as nulls.
      if let texts = column.expression.column.flatMap({ rows[$0] }), texts.type == .codedTexts { return texts }
      let (values, errorCount) = column.expression.evaluate(batch: rows).values(of: events)
      if errorCount > 0 { report.expressionErrors[column.name, default: 0] += errorCount }
      return values
    }
  }
}

extension EventGroup.TypeFilter {
  /// The rows whose earlier revisions, if any passed, are gone: corrections of the type that do not pass.
  fileprivate func retracted(_ raw: RecordBatch, selected: Bitmap, corrections: Bitmap?) -> Buffer {
    guard let corrections else { return .empty }
    let gone = corrections.and(selected.inverted())
    return (kind.map { gone.and($0.trueRows(of: raw)) } ?? gone).setIndices()
  }
}

/// The event types of some rows, which come type by type.
private struct TypeRuns {
  private var runs: [(name: String, count: Int)] = []

  mutating func append(_ name: String, count: Int) {
    if count > 0 { runs.append((name, count)) }
  }

  /// A column of the names: coded where other texts would be.
  var column: ArrowArray {
    let count = runs.reduce(0) { $0 + $1.count }
    if count < ArrowArray.leastCodedCount || runs.count > ArrowArray.codeLimit { return plain }
    var codes = BufferBuilder(capacity: count)
    for (code, run) in runs.enumerated() { codes.append(repeating: Int8(code), count: run.count) }
    return ArrowArray(
      .codedTexts, count: count,
      storage: .dictionary(indices: codes.finish(), values: ArrowArray(runs.map { Optional($0.name) })))
  }

  private var plain: ArrowArray {
    var names = VariableWidthBuilder()
    for run in runs {
      let name = Array(run.name.utf8)
      for _ in 0..<run.count { unsafe names.append(name.span.bytes) }
    }
    return names.take()
  }
}
