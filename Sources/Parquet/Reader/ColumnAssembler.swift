import Arrow
import Buffers

/// Builds lists and structures from the slots and levels of their leaves.
///
/// A level begins a value of a node if its repetition level is at most the node's and its definition level at least that
/// of an element of the innermost list around the node.
/// - Source: "Dremel: Interactive Analysis of Web-Scale Datasets", section 4.3; `ColumnNode`.
struct ColumnAssembler {
  /// By leaf, counted from the column's first.
  let leaves: [LeafSlots]
  let firstLeaf: Int

  init(_ leaves: [LeafSlots], firstLeaf: Int) {
    self.leaves = leaves
    self.firstLeaf = firstLeaf
  }

  /// The node's values.
  /// - Parameter slotLevel: the definition level of an element of the innermost list around the node; 0 outside lists.
  func array(_ node: ColumnNode, slotLevel: Int = 0) throws(ParquetError) -> ArrowArray {
    let first = leaves[node.leaves.lowerBound - firstLeaf]
    switch node.kind {
    case .leaf: return first.values
    case .structure(let children):
      let (count, validity) = values(of: node, slotLevel: slotLevel, first)
      var arrays: [ArrowArray] = []
      for child in children {
        let array = try array(child, slotLevel: slotLevel)
        try require(array.count, equals: count, in: node)
        arrays.append(array)
      }
      return ArrowArray(node.field.type, count: count, validity: validity, storage: .structure(children: arrays))
    case .list(let element), .map(let element):
      let lists = lists(of: node, slotLevel: slotLevel, first)
      let child = try array(element, slotLevel: node.definitionLevel + 1)
      try require(child.count, equals: lists.elementCount, in: node)
      return ArrowArray(
        node.field.type, count: lists.count, validity: lists.validity,
        storage: .list(offsets: lists.offsets, child: child))
    }
  }

  private func require(_ count: Int, equals expected: Int, in node: ColumnNode) throws(ParquetError) {
    guard count == expected else {
      throw ParquetError(.countMismatch("values", expected: expected, actual: count), column: node.field.name)
    }
  }

  /// How many values a structure has, and which of them are there.
  private func values(of node: ColumnNode, slotLevel: Int, _ leaf: LeafSlots) -> (count: Int, validity: Bitmap?) {
    guard !leaf.definitionLevels.isEmpty else { return (leaf.rowCount, nil) }
    var validity = BitmapBuilder(capacity: leaf.values.count)
    if leaf.repetitionLevels.isEmpty {
      LevelKernels.appendValidity(
        leaf.definitionLevels.bytes, present: node.definitionLevel, slot: slotLevel, to: &validity)
    } else {
      let (definitions, repetitions) = (leaf.definitionLevels.bytes, leaf.repetitionLevels.bytes)
      for index in 0..<definitions.byteCount {
        let level = Int(unsafe definitions.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        let repetition = Int(unsafe repetitions.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        if repetition <= node.repetitionLevel, level >= slotLevel { validity.append(level >= node.definitionLevel) }
      }
    }
    let bitmap = validity.finish()
    return (bitmap.count, bitmap)
  }

  private struct Lists {
    var count: Int
    var offsets: Buffer
    var validity: Bitmap?
    var elementCount: Int
  }

  private func lists(of node: ColumnNode, slotLevel: Int, _ leaf: LeafSlots) -> Lists {
    let levels = leaf.definitionLevels.byteCount
    let room = node.repetitionLevel == 0 ? leaf.rowCount : levels
    var offsets = BufferBuilder(capacity: (room + 2) * 4)
    var flags = BufferBuilder(capacity: room + 1)
    var elements = 0
    unsafe offsets.appendUnsafely(capacity: (room + 2) * 4) { offsetRoom in
      unsafe flags.appendUnsafely(capacity: room + 1) { flagRoom in
        let count = unsafe Self.scan(
          leaf, node, slotLevel: slotLevel, offsets: offsetRoom.assumingMemoryBound(to: Int32.self),
          flags: flagRoom.assumingMemoryBound(to: UInt8.self), elements: &elements)
        return count
      }
      return (flags.byteCount + 1) * 4
    }
    var validity = BitmapBuilder(capacity: flags.byteCount)
    LevelKernels.appendValidity(flags.bytes, present: 1, slot: 0, to: &validity)
    return Lists(
      count: flags.byteCount, offsets: offsets.finish(), validity: validity.finish(), elementCount: elements)
  }

  /// Writes each list's start and whether it is there, and the end of the last; answers how many lists there are.
  private static func scan(
    _ leaf: LeafSlots, _ node: ColumnNode, slotLevel: Int, offsets: UnsafeMutableBufferPointer<Int32>,
    flags: UnsafeMutableBufferPointer<UInt8>, elements: inout Int
  ) -> Int {
    let (start, slot, there) = (UInt8(node.repetitionLevel), UInt8(slotLevel), UInt8(node.definitionLevel))
    let (element, filled) = (start + 1, there + 1)
    var (count, total) = (0, 0)
    unsafe leaf.definitionLevels.withUnsafeBytes { definitions in
      unsafe leaf.repetitionLevels.withUnsafeBytes { repetitions in
        for index in 0..<definitions.count {
          let (definition, repetition) = unsafe (definitions[index], repetitions[index])
          unsafe offsets[count] = Int32(truncatingIfNeeded: total)
          unsafe flags[count] = UInt8(truncatingIfNeeded: LevelKernels.bit(definition >= there))
          count &+= LevelKernels.bit(repetition <= start) & LevelKernels.bit(definition >= slot)
          total &+= LevelKernels.bit(repetition <= element) & LevelKernels.bit(definition >= filled)
        }
      }
    }
    unsafe offsets[count] = Int32(truncatingIfNeeded: total)
    elements = total
    return count
  }
}
