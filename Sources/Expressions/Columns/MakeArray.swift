import Arrow
import Buffers

/// Builds a column of `type` from values of the CEL type that it stands for.
///
/// Nil, null and what does not fit become null: times beyond 64 bits, and texts after 1 GiB of them. Times are cut to
/// the column's unit, towards the past.
func makeArray(_ type: DataType, _ values: [CELValue?]) -> ArrowArray {
  switch type {
  case .null: ArrowArray(nulls: .null, count: values.count)
  case .boolean: ArrowArray(values.map { if case .bool(let bit) = $0 { bit } else { nil } })
  case .int64: makeFixed(type, values) { value -> Int64? in if case .int(let number) = value { number } else { nil } }
  case .uint64:
    makeFixed(type, values) { value -> UInt64? in if case .uint(let number) = value { number } else { nil } }
  case .float64:
    makeFixed(type, values) { value -> Double? in if case .double(let number) = value { number } else { nil } }
  case .utf8, .binary: makeTexts(type, values)
  case .timestamp(let unit, _), .duration(let unit):
    makeFixed(type, values) { value in
      value.nanoseconds.flatMap { Int64(exactly: floorDivide($0, unit.nanoseconds)) }
    }
  case .list(let element): makeList(type, element.type, values)
  case .map(let entries, _): makeMap(type, entries.type, values)
  case .structure(let fields): makeStructure(type, fields, values)
  default: ArrowArray(nulls: type, count: values.count)
  }
}

private func makeFixed<T: BitwiseCopyable>(
  _ type: DataType, _ values: [CELValue?], _ convert: (CELValue) -> T?
) -> ArrowArray {
  ArrowArray(type, values.map { $0.flatMap(convert) })
}

private func makeTexts(_ type: DataType, _ values: [CELValue?]) -> ArrowArray {
  var builder = VariableWidthBuilder(capacity: values.count)
  for value in values {
    switch value {
    case .string(let text) where builder.dataByteCount + text.utf8.count <= 1 << 30: builder.append(text)
    case .bytes(let bytes) where builder.dataByteCount + bytes.count <= 1 << 30: unsafe builder.append(bytes.span.bytes)
    default: builder.appendNull()
    }
  }
  return builder.take(as: type)
}

extension CELValue {
  /// Of a timestamp or duration.
  fileprivate var nanoseconds: Int128? {
    switch self {
    case .timestamp(let time): time.nanoseconds
    case .duration(let length): length.nanoseconds
    default: nil
    }
  }
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
