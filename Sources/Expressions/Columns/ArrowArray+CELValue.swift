import Arrow
import Buffers

extension ArrowArray {
  /// Value `row` as CEL sees it.
  package func celValue(_ row: Int) -> CELValue {
    if isNull(row) { return .null }
    switch storage {
    case .null: return .null
    case .boolean(let bits): return .bool(bits[row])
    case .fixed(let values): return fixedValue(values, row)
    case .variable: return type == .utf8 ? .string(string(row)) : .bytes(byteArray(row))
    case .list(_, let child), .fixedSizeList(let child): return listValue(child, range(row))
    case .structure(let children):
      guard case .structure(let fields) = type else { return .null }
      return .structure(CELStructure(names: fields.map(\.name), values: children.map { $0.celValue(row) }))
    case .dictionary(_, let values): return values.celValue(dictionaryIndex(row))
    }
  }

  private func byteArray(_ row: Int) -> [UInt8] {
    unsafe bytes(row).withUnsafeBytes { unsafe Array($0) }
  }

  private func fixedValue(_ values: Buffer, _ row: Int) -> CELValue {
    switch type {
    case .int8: .int(Int64(values.load(row, as: Int8.self)))
    case .int16: .int(Int64(values.load(row, as: Int16.self)))
    case .int32: .int(Int64(values.load(row, as: Int32.self)))
    case .int64: .int(values.load(row, as: Int64.self))
    case .uint8: .uint(UInt64(values.load(row, as: UInt8.self)))
    case .uint16: .uint(UInt64(values.load(row, as: UInt16.self)))
    case .uint32: .uint(UInt64(values.load(row, as: UInt32.self)))
    case .uint64: .uint(values.load(row, as: UInt64.self))
    case .float16: .double(Double(values.load(row, as: Float16.self)))
    case .float32: .double(Double(values.load(row, as: Float.self)))
    case .float64: .double(values.load(row, as: Double.self))
    case .fixedSizeBinary: .bytes(byteArray(row))
    case .date32: .timestamp(CELTimestamp(seconds: Int64(values.load(row, as: Int32.self)) * 86_400))
    case .date64: .timestamp(CELTimestamp(nanoseconds: Int128(values.load(row, as: Int64.self)) * 1_000_000))
    case .timestamp(let unit, _):
      .timestamp(CELTimestamp(nanoseconds: Int128(values.load(row, as: Int64.self)) * unit.nanoseconds))
    case .duration(let unit):
      .duration(CELDuration(nanoseconds: Int128(values.load(row, as: Int64.self)) * unit.nanoseconds))
    default: .null
    }
  }

  private func listValue(_ child: ArrowArray, _ range: Range<Int>) -> CELValue {
    guard case .map = type, case .structure(let pair) = child.storage, pair.count == 2 else {
      return .list(range.map { child.celValue($0) })
    }
    var map = CELMap()
    // A key that comes twice keeps its first value: a column cannot be refused for one row.
    for place in range { try? map.insert(pair[0].celValue(place), pair[1].celValue(place)) }
    return .map(map)
  }
}

extension TimeUnit {
  /// Nanoseconds in one unit.
  var nanoseconds: Int128 { 1_000_000_000 / Int128(perSecond) }
}
