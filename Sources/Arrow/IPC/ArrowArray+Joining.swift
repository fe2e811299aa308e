import Buffers

extension ArrowArray {
  /// The values of `parts` one after the other; dictionary arrays among them must share their dictionary.
  ///
  /// Nil when there are more values or bytes than 32-bit offsets reach.
  /// - Precondition: at least one part, and all of the same type.
  init?(joining parts: [ArrowArray]) {
    let type = parts[0].type
    let count = parts.reduce(0) { $0 + $1.count }
    guard count <= Int(Int32.max), let storage = Self.joinedStorage(type, parts) else { return nil }
    self.init(type, count: count, validity: Self.joinedValidity(parts), storage: storage)
  }

  private static func joinedValidity(_ parts: [ArrowArray]) -> Bitmap? {
    guard parts.contains(where: { $0.validity != nil }) else { return nil }
    var builder = BitmapBuilder()
    for part in parts {
      if let validity = part.validity {
        builder.append(validity)
      } else {
        builder.append(repeating: true, count: part.count)
      }
    }
    return builder.finish()
  }

  private static func joinedStorage(_ type: DataType, _ parts: [ArrowArray]) -> Storage? {
    switch type {
    case .null: return .null
    case .boolean:
      var bits = BitmapBuilder()
      for part in parts { bits.append(part.bits) }
      return .boolean(bits.finish())
    case .utf8, .binary:
      guard let offsets = joinedOffsets(parts) else { return nil }
      return .variable(offsets: offsets, data: joined(parts.map { $0.data.slice($0.usedRange) }))
    case .list, .map:
      guard let offsets = joinedOffsets(parts),
        let child = ArrowArray(joining: parts.map { $0.children[0].slice($0.usedRange) })
      else { return nil }
      return .list(offsets: offsets, child: child)
    case .fixedSizeList:
      return ArrowArray(joining: parts.map { $0.children[0] }).map { .fixedSizeList(child: $0) }
    case .structure(let fields):
      let children = fields.indices.compactMap { index in ArrowArray(joining: parts.map { $0.children[index] }) }
      return children.count == fields.count ? .structure(children: children) : nil
    case .dictionary: return .dictionary(indices: joined(parts.map(\.values)), values: parts[0].children[0])
    default: return .fixed(joined(parts.map(\.values)))
    }
  }

  /// The range of the data or child that the offsets span.
  private var usedRange: Range<Int> {
    Int(offsets.load(0, as: Int32.self))..<Int(offsets.load(count, as: Int32.self))
  }

  private static func joined(_ buffers: [Buffer]) -> Buffer {
    var builder = BufferBuilder(capacity: buffers.reduce(0) { $0 + $1.byteCount })
    for buffer in buffers { builder.append(buffer) }
    return builder.finish()
  }

  private static func joinedOffsets(_ parts: [ArrowArray]) -> Buffer? {
    guard parts.reduce(0, { $0 + $1.usedRange.count }) <= Int(Int32.max) else { return nil }
    var builder = BufferBuilder()
    builder.append(Int32(0))
    var base: Int32 = 0
    for part in parts {
      let shift = base - Int32(part.usedRange.lowerBound)
      for index in 1..<part.count + 1 { builder.append(part.offsets.load(index, as: Int32.self) + shift) }
      base += Int32(part.usedRange.count)
    }
    return builder.finish()
  }
}
