import Arrow
import Buffers

/// Builds lists and structures from the slots and levels of their leaves.
///
/// A level begins a value of a node if its repetition level is at most the node's and its definition level at least
/// that of an element of the innermost list around the node.
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
    Self.forEachWord(leaf) { levels in
      let starts = levels.repeated(atMost: node.repetitionLevel) & levels.defined(atLeast: slotLevel)
      let there = levels.defined(atLeast: node.definitionLevel)
      if starts == levels.all {
        validity.append(word: there, bits: levels.count)
      } else {
        forEachBit(starts) { validity.append(there &>> UInt64($0) & 1 == 1) }
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
    var offsets = BufferBuilder(capacity: node.repetitionLevel == 0 ? (leaf.rowCount + 1) * 4 : 1024)
    var validity = BitmapBuilder(capacity: node.repetitionLevel == 0 ? leaf.rowCount : 0)
    var total = 0
    Self.forEachWord(leaf) { levels in
      let starts = levels.repeated(atMost: node.repetitionLevel) & levels.defined(atLeast: slotLevel)
      let there = levels.defined(atLeast: node.definitionLevel)
      let elements =
        levels.repeated(atMost: node.repetitionLevel + 1) & levels.defined(atLeast: node.definitionLevel + 1)
      forEachBit(starts) { bit in
        let before = elements & ((1 &<< UInt64(bit)) &- 1)
        offsets.append(Int32(truncatingIfNeeded: total &+ before.nonzeroBitCount))
        validity.append(there &>> UInt64(bit) & 1 == 1)
      }
      total &+= elements.nonzeroBitCount
    }
    offsets.append(Int32(truncatingIfNeeded: total))
    return Lists(
      count: validity.count, offsets: offsets.finish(),
      validity: node.definitionLevel > slotLevel ? validity.finish() : nil, elementCount: total)
  }

  // MARK: Levels, a word at a time

  /// Up to 64 levels, as pointers to their bytes.
  @safe private struct Levels {
    // SAFETY: made by `forEachWord` over memory that it holds, and used inside its closure alone.
    let definitions: UnsafePointer<UInt8>
    let repetitions: UnsafePointer<UInt8>
    let count: Int

    var all: UInt64 { count >= 64 ? .max : (1 &<< UInt64(count)) &- 1 }

    @inline(__always) func defined(atLeast level: Int) -> UInt64 {
      level == 0 ? all : unsafe LevelKernels.mask(definitions, count: count, atLeast: UInt8(level))
    }

    @inline(__always) func repeated(atMost level: Int) -> UInt64 {
      all & ~(unsafe LevelKernels.mask(repetitions, count: count, atLeast: UInt8(level + 1)))
    }
  }

  @inline(__always)
  private static func forEachWord(_ leaf: LeafSlots, _ body: (Levels) -> Void) {
    let count = leaf.definitionLevels.byteCount
    // Without lists, every level begins a row.
    let repetitions = leaf.repetitionLevels.isEmpty ? Buffer(zeroes: count) : leaf.repetitionLevels
    unsafe leaf.definitionLevels.withUnsafeBytes { definitions in
      unsafe repetitions.withUnsafeBytes { repetitions in
        guard let first = unsafe definitions.assumingMemoryBound(to: UInt8.self).baseAddress,
          let second = unsafe repetitions.assumingMemoryBound(to: UInt8.self).baseAddress
        else { return }
        for index in stride(from: 0, to: count, by: 64) {
          body(unsafe Levels(definitions: first + index, repetitions: second + index, count: min(64, count - index)))
        }
      }
    }
  }
}

/// Calls `body` with the index of each set bit.
@inline(__always)
private func forEachBit(_ word: UInt64, _ body: (Int) -> Void) {
  var word = word
  while word != 0 {
    body(word.trailingZeroBitCount)
    word &= word &- 1
  }
}
