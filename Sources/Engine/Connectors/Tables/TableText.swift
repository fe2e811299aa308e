import Arrow
import ArrowKernels
import Buffers
import Definitions
import JSONColumns

/// Turns a table's rows into the NDJSON that the source declares, so that one decoder with one set of rules reads logs and
/// tables.
struct TableText {
  private let types: [String: FieldType]

  /// - Parameter fields: of the source.
  init(_ fields: [SourceField]) {
    types = Dictionary(fields.map { ($0.path.columnName, $0.type) }) { first, _ in first }
  }

  /// A line for each row.
  func ndjson(_ batch: RecordBatch) -> Buffer {
    let columns = zip(batch.schema.fields, batch.columns).map { field, column in
      (path: field.name.split(separator: "."), values: form(column, field.name))
    }
    let nested = Self.nested(columns)
    var text = JSONOutput(capacity: batch.rowCount * 64)
    let rows = RecordBatch(
      Schema(nested.map { Field($0.name, $0.values.type) }), nested.map(\.values), rowCount: batch.rowCount)
    JSONRowEncoder(rows, options: JSONEncodingOptions(timestamps: .rfc3339)).appendLines(to: &text)
    return text.take()
  }

  private typealias Column = (path: [Substring], values: ArrowArray)

  /// Columns whose names have dots as members of structures: `a.b` and `a.c` become `a`.
  private static func nested(_ columns: [Column]) -> [(name: String, values: ArrowArray)] {
    var names: [Substring] = []
    for column in columns where !names.contains(column.path.first ?? "") { names.append(column.path.first ?? "") }
    return names.map { name in
      let own = columns.filter { ($0.path.first ?? "") == name }
      if let whole = own.first(where: { $0.path.count <= 1 }) { return (String(name), whole.values) }
      let members = nested(own.map { (Array($0.path.dropFirst()), $0.values) })
      let type = DataType.structure(members.map { Field($0.name, $0.values.type) })
      let count = own[0].values.count
      return (String(name), ArrowArray(type, count: count, storage: .structure(children: members.map(\.values))))
    }
  }

  /// Values as the declared type writes them: moments as numbers where it has numbers, else as text in UTC.
  private func form(_ values: ArrowArray, _ path: String) -> ArrowArray {
    switch (values.type, values.storage) {
    case (.dictionary, _): return form(values.decoded(), path)
    case (.structure(let fields), .structure(let children)):
      let formed = zip(fields, children).map { form($1, "\(path).\($0.name)") }
      let type = DataType.structure(zip(fields, formed).map { Field($0.name, $1.type) })
      return ArrowArray(type, count: values.count, validity: values.validity, storage: .structure(children: formed))
    case (.list, .list(let offsets, let child)):
      let formed = form(child, path)
      return ArrowArray(
        .list(Field("item", formed.type)), count: values.count, validity: values.validity,
        storage: .list(offsets: offsets, child: formed))
    case (.timestamp, _), (.date32, _), (.date64, _): return moments(values, path)
    default: return values
    }
  }

  private func moments(_ values: ArrowArray, _ path: String) -> ArrowArray {
    guard case .timestamp(let text)? = types[path]?.element else { return values }
    let unit: TimeUnit =
      switch text {
      case .seconds: .second
      case .millis: .milli
      case .micros, .rfc3339: .micro
      }
    guard let cast = try? values.cast(to: .timestamp(unit, zone: "UTC"), overflow: .null) else { return values }
    let type = text == .rfc3339 ? DataType.timestampMicrosUTC : .int64
    return ArrowArray(type, count: cast.count, validity: cast.validity, storage: cast.storage)
  }
}

extension FieldType {
  /// The type of the innermost value.
  fileprivate var element: FieldType {
    switch self {
    case .list(let element), .fixedSizeList(let element, _): element.element
    default: self
    }
  }
}
