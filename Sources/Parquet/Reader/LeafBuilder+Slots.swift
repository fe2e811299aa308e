import Arrow
import Buffers

extension LeafBuilder {
  /// The slots so far; this builder starts anew, empty.
  mutating func take() -> LeafSlots {
    let validity = source.isNullable ? validity.take() : nil
    let array = ArrowArray(source.type, count: slotCount, validity: validity, storage: takeStorage())
    let slots = LeafSlots(
      values: array, definitionLevels: definitionLevels.take(), repetitionLevels: repetitionLevels.take(),
      rowCount: rowCount)
    (slotCount, rowCount) = (0, 0)
    return slots
  }

  private mutating func takeStorage() -> ArrowArray.Storage {
    switch source.layout {
    case .null: return .null
    case .boolean: return .boolean(bits.take())
    case .fixed, .narrowed, .int96, .decimal: return .fixed(values.take())
    case .variable:
      if values.byteCount == 0 { values.append(Int32(0)) }
      return .variable(offsets: values.take(), data: data.take())
    case .dictionary: return .dictionary(indices: values.take(), values: dictionaryValues())
    }
  }

  /// Appends slots that were taken before.
  mutating func append(_ slots: LeafSlots) {
    definitionLevels.append(slots.definitionLevels)
    repetitionLevels.append(slots.repetitionLevels)
    slotCount += slots.values.count
    rowCount += slots.rowCount
    if source.isNullable {
      if let bits = slots.values.validity {
        validity.append(bits)
      } else {
        validity.append(repeating: true, count: slots.values.count)
      }
    }
    switch slots.values.storage {
    case .boolean(let bitmap): bits.append(bitmap)
    case .fixed(let buffer), .dictionary(let buffer, _): values.append(buffer)
    case .variable(let offsets, let bytes): append(offsets: offsets, bytes: bytes, count: slots.values.count)
    case .null, .list, .fixedSizeList, .structure: break
    }
  }

  private mutating func append(offsets: Buffer, bytes: Buffer, count: Int) {
    if values.byteCount == 0 { values.append(Int32(0)) }
    let start = offsets.load(0, as: Int32.self)
    let shift = Int32(data.byteCount) - start
    for index in 1..<count + 1 { values.append(offsets.load(index, as: Int32.self) + shift) }
    data.append(bytes.slice(Int(start)..<Int(offsets.load(count, as: Int32.self))))
  }
}
