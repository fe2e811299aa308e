import Arrow
import Buffers

/// The slots of a leaf column over some rows, and the levels that place them in their lists and structures.
struct LeafSlots {
  /// One value per slot, null where an ancestor inside the innermost list is.
  var values: ArrowArray
  /// A byte per level; empty for a column of the table without nesting, whose slots are its rows.
  var definitionLevels: Buffer
  /// A byte per level; empty without lists.
  var repetitionLevels: Buffer
  var rowCount: Int

  var byteCount: Int { values.byteCount + definitionLevels.byteCount + repetitionLevels.byteCount }

  /// The rows `range`, sharing this memory.
  /// - Parameter slot: the definition level from which on a level has a slot.
  func slice(_ range: Range<Int>, slot: Int) -> LeafSlots {
    if range == 0..<rowCount { return self }
    if definitionLevels.isEmpty && repetitionLevels.isEmpty {
      return LeafSlots(
        values: values.slice(range), definitionLevels: .empty, repetitionLevels: .empty, rowCount: range.count)
    }
    if repetitionLevels.isEmpty {
      return LeafSlots(
        values: values.slice(range), definitionLevels: definitionLevels.slice(range), repetitionLevels: .empty,
        rowCount: range.count)
    }
    let start = LevelKernels.index(ofRow: range.lowerBound, in: repetitionLevels.bytes)
    let tail = repetitionLevels.slice(start..<repetitionLevels.byteCount)
    let levels = start..<start + LevelKernels.index(ofRow: range.count, in: tail.bytes)
    let before = LevelKernels.count(definitionLevels.slice(0..<start).bytes, atLeast: slot)
    let inside = LevelKernels.count(definitionLevels.slice(levels).bytes, atLeast: slot)
    return LeafSlots(
      values: values.slice(before..<before + inside), definitionLevels: definitionLevels.slice(levels),
      repetitionLevels: repetitionLevels.slice(levels), rowCount: range.count)
  }
}
