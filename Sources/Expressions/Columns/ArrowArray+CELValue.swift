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

/// Builds a column of `type` from values of the CEL type that it stands for; nil and null become null.
/// Times are cut to the column's unit, towards the past.
func makeArray(_ type: DataType, _ values: [CELValue?]) -> ArrowArray {
  switch type {
  case .null: ArrowArray(nulls: .null, count: values.count)
  case .boolean: ArrowArray(values.map { if case .bool(let bit) = $0 { bit } else { nil } })
  case .int64:
    ArrowArray(type, values.map { value -> Int64? in if case .int(let number) = value { number } else { nil } })
  case .uint64:
    ArrowArray(type, values.map { value -> UInt64? in if case .uint(let number) = value { number } else { nil } })
  case .float64:
    ArrowArray(type, values.map { value -> Double? in if case .double(let number) = value { number } else { nil } })
  case .utf8: ArrowArray(values.map { value -> String? in if case .string(let text) = value { text } else { nil } })
  case .binary: makeBinary(values)
  case .timestamp(let unit, _):
    ArrowArray(
      type,
      values.map { value -> Int64? in
        guard case .timestamp(let time) = value else { return nil }
        return Int64(exactly: floorDivide(time.nanoseconds, unit.nanoseconds))
      })
  case .duration(let unit):
    ArrowArray(
      type,
      values.map { value -> Int64? in
        guard case .duration(let length) = value else { return nil }
        return Int64(exactly: floorDivide(length.nanoseconds, unit.nanoseconds))
      })
  case .list(let element): makeList(type, element.type, values)
  case .map(let entries, _): makeMap(type, entries.type, values)
  case .structure(let fields): makeStructure(type, fields, values)
  default: ArrowArray(nulls: type, count: values.count)
  }
}

private func makeBinary(_ values: [CELValue?]) -> ArrowArray {
  var builder = VariableWidthBuilder(capacity: values.count)
  for value in values {
    if case .bytes(let bytes) = value { unsafe builder.append(bytes.span.bytes) } else { builder.appendNull() }
  }
  return builder.take(as: .binary)
}

private func makeList(_ type: DataType, _ element: DataType, _ values: [CELValue?]) -> ArrowArray {
  var builder = ListBuilder()
  var children: [CELValue?] = []
  for value in values {
    if case .list(let elements) = value { children += elements.map { .some($0) } }
    builder.close(childCount: children.count, isValid: value?.typeName == "list")
  }
  return builder.take(as: type, child: makeArray(element, children))
}

private func makeMap(_ type: DataType, _ entryType: DataType, _ values: [CELValue?]) -> ArrowArray {
  var builder = ListBuilder()
  var keys: [CELValue?] = []
  var items: [CELValue?] = []
  for value in values {
    if case .map(let map) = value {
      keys += map.entries.map { .some($0.key) }
      items += map.entries.map { .some($0.value) }
    }
    builder.close(childCount: keys.count, isValid: value?.typeName == "map")
  }
  guard case .structure(let pair) = entryType else { preconditionFailure("\(type) has no entries") }
  let columns = [makeArray(pair[0].type, keys), makeArray(pair[1].type, items)]
  let child = ArrowArray(entryType, count: keys.count, storage: .structure(children: columns))
  return builder.take(as: type, child: child)
}

private func makeStructure(_ type: DataType, _ fields: [Field], _ values: [CELValue?]) -> ArrowArray {
  let children = fields.map { field in
    makeArray(
      field.type,
      values.map { value in
        if case .structure(let structure) = value { structure[field.name] } else { nil }
      })
  }
  let validity = Bitmap(values.map { $0?.typeName == "struct" })
  return ArrowArray(type, count: values.count, validity: validity, storage: .structure(children: children))
}
