import Arrow
import Buffers

extension LeafBuilder {
  /// Appends slots that were taken before.
  mutating func append(_ slots: LeafSlots) {
    definitionLevels.append(slots.definitionLevels)
    repetitionLevels.append(slots.repetitionLevels)
    count(slots)
    if leaf.maxDefinitionLevel > leaf.slotLevel {
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
    let start = offsets.load(0, as: Int32.self)
    let shift = Int32(data.byteCount) - start
    for index in 1..<count + 1 { values.append(offsets.load(index, as: Int32.self) + shift) }
    data.append(bytes.slice(Int(start)..<Int(offsets.load(count, as: Int32.self))))
  }
}
