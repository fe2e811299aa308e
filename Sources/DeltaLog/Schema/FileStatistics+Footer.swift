import Arrow
import Buffers
import JSONText
import Parquet

extension FileStatistics {
  /// The statistics of a data file, from its footer: bounds and null counts of the columns whose type has an order.
  ///
  /// A bound that only some row groups have is left out.
  package init(footer: FileMetadata, schema: ParquetSchema) {
    self.init(rowCount: Int64(footer.rowCount))
    for node in schema.columns {
      guard case .leaf(let leaf) = node.kind else { continue }
      add(node.field, footer.rowGroups.map { ($0.columns[leaf].metadata?.statistics, $0.rowCount) })
    }
  }

  private mutating func add(_ field: Field, _ groups: [(statistics: Statistics?, rowCount: Int)]) {
    let nulls = groups.compactMap { $0.statistics?.nullCount }
    if nulls.count == groups.count { nullCount[field.name] = .integer(Int64(nulls.reduce(0, +))) }
    guard Self.hasBounds(field.type) else { return }
    let groups = groups.filter { $0.statistics?.nullCount != $0.rowCount }
    let low = groups.compactMap { $0.statistics?.minValue }
    let high = groups.compactMap { $0.statistics?.maxValue }
    guard !low.isEmpty, low.count == groups.count, high.count == groups.count else { return }
    guard let least = Self.extreme(low, field.type, { $0 < $1 }), let most = Self.extreme(high, field.type, { $0 > $1 })
    else { return }
    if let bound = Self.json(least, field.type, isUpper: false) { minValues[field.name] = bound }
    if let bound = Self.json(most, field.type, isUpper: true) { maxValues[field.name] = bound }
  }

  private static func hasBounds(_ type: DataType) -> Bool {
    switch type {
    case .int8, .int16, .int32, .int64, .date32, .float32, .float64, .utf8, .timestamp(.micro, _): true
    default: false
    }
  }

  /// A bound as stored, in an order of its own.
  private enum Bound {
    case integer(Int64)
    case number(Double)
    case text(String)

    static func < (left: Bound, right: Bound) -> Bool {
      switch (left, right) {
      case (.integer(let a), .integer(let b)): a < b
      case (.number(let a), .number(let b)): a < b
      case (.text(let a), .text(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
      default: false
      }
    }

    static func > (left: Bound, right: Bound) -> Bool { right < left }
  }

  private static func extreme(
    _ values: [Buffer], _ type: DataType, _ isBetter: (Bound, Bound) -> Bool
  ) -> Bound? {
    var best: Bound?
    for value in values {
      guard let bound = bound(value, type) else { return nil }
      if best.map({ isBetter(bound, $0) }) ?? true { best = bound }
    }
    return best
  }

  private static func bound(_ value: Buffer, _ type: DataType) -> Bound? {
    switch type {
    case .int8, .int16, .int32, .date32:
      value.byteCount == 4 ? .integer(Int64(value.load(0, as: Int32.self))) : nil
    case .int64, .timestamp: value.byteCount == 8 ? .integer(value.load(0, as: Int64.self)) : nil
    case .float32: value.byteCount == 4 ? .number(Double(value.load(0, as: Float.self))) : nil
    case .float64: value.byteCount == 8 ? .number(value.load(0, as: Double.self)) : nil
    case .utf8: value.utf8Text.map { .text($0) }
    default: nil
    }
  }

  private static func json(_ bound: Bound, _ type: DataType, isUpper: Bool) -> JSONValue? {
    switch (bound, type) {
    case (.integer(let value), .date32): .string(CalendarText.date(value))
    case (.integer(let value), .timestamp(_, let zone)):
      .string(
        zone == nil ? String(CalendarText.timestamp(micros: value).dropLast()) : CalendarText.timestamp(micros: value))
    case (.integer(let value), _): .integer(value)
    case (.number(let value), _): value.isFinite ? .number(value) : nil
    case (.text(let text), _): isUpper ? upperBound(text) : lowerBound(text)
    }
  }
}
