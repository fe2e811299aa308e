import Arrow
import ArrowKernels

/// Batches of a live table, one after the other, that are to become one.
struct LiveMerge: Sendable {
  /// Their places among the table's.
  let parts: Range<Int>
  let batches: [RecordBatch]
  /// The large ones, all before them, whose dictionaries the new one continues; nil: it is not to be large.
  let earlier: [RecordBatch]?

  struct Outcome: Sendable {
    var merged: RecordBatch
    /// Those that were large before, with the dictionaries that they now share.
    var earlier: [RecordBatch]
    /// How much more memory all take than before.
    var moreByteCount: Int
  }

  /// - Returns: nil when the columns' types are not, or would not be, the same.
  func run() -> Outcome? {
    guard batches.allSatisfy({ Self.areAlike($0, batches[0]) }) else { return nil }
    let (merged, earlier) = joined()
    guard Self.areAlike(merged, batches[0]) else { return nil }
    let before = Self.byteCount(self.earlier ?? []) + batches.reduce(0) { $0 + Self.byteCount([$1]) }
    return Outcome(merged: merged, earlier: earlier, moreByteCount: Self.byteCount(earlier + [merged]) - before)
  }

  /// What is to stay lies in pages of its own: when a segment goes, its memory does, and leaves no holes among what comes and
  /// goes beside it.
  private func joined() -> (RecordBatch, [RecordBatch]) {
    guard let earlier else { return (RecordBatch.concatenate(batches), []) }
    let (merged, sharing) = RecordBatch.concatenate(batches, after: earlier)
    var pages = OwnedPages()
    return (pages.move(merged), sharing.map { pages.follow($0) })
  }

  /// Whether columns differ at most in how wide the indices of a dictionary are.
  private static func areAlike(_ left: RecordBatch, _ right: RecordBatch) -> Bool {
    zip(left.schema.fields, right.schema.fields).allSatisfy { left, right in
      if case .dictionary = left.type, case .dictionary = right.type {
        return left.type.valueType == right.type.valueType
      }
      return left.type == right.type
    }
  }

  /// What batches take in memory, where columns that share it, and dictionaries that batches beside each other share, count
  /// once.
  static func byteCount(_ batches: [RecordBatch]) -> Int {
    var total = 0
    for (index, batch) in batches.enumerated() {
      for (place, column) in batch.columns.enumerated() {
        if batch.columns[..<place].contains(where: { $0.isIdentical(to: column) }) { continue }
        let isCounted = index > 0 && column.sharesDictionary(with: batches[index - 1].columns[place])
        total += isCounted ? column.ownByteCount : column.byteCount
      }
    }
    return total
  }
}

extension ArrowArray {
  fileprivate func sharesDictionary(with other: ArrowArray) -> Bool {
    guard case .dictionary(_, let values) = storage, case .dictionary(_, let others) = other.storage else {
      return false
    }
    return values.isIdentical(to: others)
  }
}
