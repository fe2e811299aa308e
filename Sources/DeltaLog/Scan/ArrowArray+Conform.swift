import Arrow
import ArrowKernels
import Buffers

extension ArrowArray {
  /// The same values as `type`, whatever form a data file keeps them in.
  ///
  /// Field names and nullability inside `type` win over the file's; struct members go by name, and those that are
  /// missing are null, for a table's columns may have been added after the file was written. Numbers and times are cast
  /// where every value fits. A list becomes a fixed-size list where every value that is there has its length.
  /// - Throws: `.columnType` naming `column`.
  package func conformed(to type: DataType, column: String) throws(DeltaError) -> ArrowArray {
    if self.type == type { return self }
    switch (storage, type) {
    case (.dictionary, let wanted) where wanted.valueType == wanted:
      return try decoded().conformed(to: type, column: column)
    case (.structure(let children), .structure(let fields)):
      return try structure(of: fields, from: children, column: column)
    case (.list(let offsets, let child), .list(let element)):
      let conformed = try child.conformed(to: element.type, column: "\(column).element")
      return ArrowArray(type, count: count, validity: validity, storage: .list(offsets: offsets, child: conformed))
    case (.list(let offsets, let child), .map(let entries, _)):
      let conformed = try child.entries(as: entries.type, column: column)
      return ArrowArray(type, count: count, validity: validity, storage: .list(offsets: offsets, child: conformed))
    case (.list(_, let child), .fixedSizeList(let element, let length)):
      let conformed = try child.conformed(to: element.type, column: "\(column).element")
      return try fixedSizeList(conformed, length: length, as: type, column: column)
    case (.fixedSizeList(let child), .list(let element)):
      let conformed = try child.conformed(to: element.type, column: "\(column).element")
      return list(of: conformed, as: type)
    case (.variable, .utf8), (.variable, .binary): return retypedVariable(type)
    case (.fixed, .binary) where self.type.byteWidth != nil: return variable(as: type)
    default: return try scalar(as: type, column: column)
    }
  }

  private func mistyped(_ wanted: DataType, _ column: String) -> DeltaError {
    DeltaError(.columnType(column: column, found: "\(type)", wanted: "\(wanted)"))
  }

  private func scalar(as wanted: DataType, column: String) throws(DeltaError) -> ArrowArray {
    if case .decimal128(let precision, let scale) = type, case .decimal128(let wider, scale) = wanted,
      wider >= precision
    {
      return retyped(wanted)
    }
    if case .timestamp(let unit, _) = type, case .timestamp(unit, _) = wanted { return retyped(wanted) }
    do { return try cast(to: wanted) } catch { throw mistyped(wanted, column) }
  }

  private func structure(
    of fields: [Field], from children: [ArrowArray], column: String
  ) throws(DeltaError) -> ArrowArray {
    guard case .structure(let own) = type else { throw mistyped(.structure(fields), column) }
    var conformed: [ArrowArray] = []
    for field in fields {
      if let index = own.firstIndex(where: { $0.name == field.name }) {
        conformed.append(try children[index].conformed(to: field.type, column: "\(column).\(field.name)"))
      } else {
        conformed.append(ArrowArray(nulls: field.type, count: count))
      }
    }
    return ArrowArray(.structure(fields), count: count, validity: validity, storage: .structure(children: conformed))
  }

  /// A map's entries: key and value go by place, whatever they are called.
  private func entries(as wanted: DataType, column: String) throws(DeltaError) -> ArrowArray {
    guard case .structure(let children) = storage, case .structure(let fields) = wanted,
      children.count == fields.count
    else { throw mistyped(wanted, column) }
    var conformed: [ArrowArray] = []
    for (child, field) in zip(children, fields) {
      conformed.append(try child.conformed(to: field.type, column: "\(column).\(field.name)"))
    }
    return ArrowArray(wanted, count: count, validity: validity, storage: .structure(children: conformed))
  }

  private func fixedSizeList(
    _ child: ArrowArray, length: Int, as wanted: DataType, column: String
  ) throws(DeltaError) -> ArrowArray {
    var isDense = true
    for index in 0..<count where range(index).count != length {
      guard isNull(index) else { throw mistyped(wanted, column) }
      isDense = false
    }
    let first = count == 0 ? 0 : range(0).lowerBound
    let values = isDense ? child.slice(first..<first + count * length) : spread(child, length: length)
    return ArrowArray(wanted, count: count, validity: validity, storage: .fixedSizeList(child: values))
  }

  /// The elements of each list, and nulls for those of a null.
  private func spread(_ child: ArrowArray, length: Int) -> ArrowArray {
    var rows = BufferBuilder(capacity: count * length * 4)
    for index in 0..<count {
      let range = range(index)
      for place in 0..<length { rows.append(isNull(index) ? Int32(-1) : Int32(range.lowerBound + place)) }
    }
    return child.take(rows.finish())
  }

  private func list(of child: ArrowArray, as wanted: DataType) -> ArrowArray {
    let length = count == 0 ? 0 : child.count / count
    var offsets = BufferBuilder(capacity: (count + 1) * 4)
    for index in 0...count { offsets.append(Int32(index * length)) }
    return ArrowArray(
      wanted, count: count, validity: validity, storage: .list(offsets: offsets.finish(), child: child))
  }

  private func retypedVariable(_ wanted: DataType) -> ArrowArray {
    ArrowArray(wanted, count: count, validity: validity, storage: storage)
  }

  /// Fixed-width binary as values with offsets.
  private func variable(as wanted: DataType) -> ArrowArray {
    let width = type.byteWidth ?? 0
    var offsets = BufferBuilder(capacity: (count + 1) * 4)
    for index in 0...count { offsets.append(Int32(index * width)) }
    return ArrowArray(
      wanted, count: count, validity: validity, storage: .variable(offsets: offsets.finish(), data: values))
  }
}
