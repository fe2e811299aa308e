import Arrow
import ArrowKernels
import Buffers
import Definitions

/// Raw events with a row for each element of an array in them.
struct ExplodedRows {
  let batch: RecordBatch
  /// Int32 per row: the raw event it comes from.
  let parents: Buffer

  /// - Parameter explode: the array. Its columns hold one element a row; all others repeat the event's value.
  init(_ raw: RecordBatch, _ explode: Explode, source: SourceDefinition) {
    let exploded = source.fields.filter { $0.path.arrayPath == explode.path.text }.map(\.path.columnName)
    var parents = BufferBuilder()
    var places = FixedWidthBuilder<Int64>()
    let lists = exploded.compactMap { raw[$0] }
    for row in 0..<raw.rowCount {
      // The columns of one array have the same lengths wherever none of them is null.
      let length = lists.map { $0.isNull(row) ? 0 : $0.range(row).count }.max() ?? 0
      for place in 0..<length {
        parents.append(Int32(row))
        places.append(Int64(place))
      }
    }
    self.parents = parents.finish()
    let index = places.take(as: .int64)
    var fields: [Field] = []
    var columns: [ArrowArray] = []
    for (field, column) in zip(raw.schema.fields, raw.columns) {
      let isExploded = exploded.contains(field.name)
      let values = isExploded ? Self.elements(of: column, self.parents, index) : column.take(self.parents)
      fields.append(Field(field.name, values.type))
      columns.append(values)
    }
    fields.append(Field(Explode.indexColumn, .int64))
    columns.append(index)
    batch = RecordBatch(Schema(fields, metadata: raw.schema.metadata), columns, rowCount: index.count)
  }

  private static func elements(of lists: ArrowArray, _ parents: Buffer, _ places: ArrowArray) -> ArrowArray {
    var rows = BufferBuilder(capacity: parents.byteCount)
    for row in 0..<places.count {
      let parent = Int(parents.load(row, as: Int32.self))
      let range = lists.isNull(parent) ? 0..<0 : lists.range(parent)
      let place = range.lowerBound + Int(places.values.load(row, as: Int64.self))
      rows.append(place < range.upperBound ? Int32(place) : -1)
    }
    return lists.children[0].take(rows.finish())
  }
}
