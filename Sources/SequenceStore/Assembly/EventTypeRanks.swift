import Arrow
import ArrowKernels

/// The order of the names of all event types of a merge.
struct EventTypeRanks {
  private let ranks: [String: Int32]

  init(_ names: Set<String>) {
    let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    ranks = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
  }

  /// The rank of each value of a column of event types.
  func ranks(_ column: ArrowArray) -> [Int32] {
    guard let encoded = column.dictionaryEncoded() else { return [] }
    let names = encoded.children[0]
    let known = (0..<names.count).map { ranks[names.string($0)] ?? -1 }
    return (0..<column.count).map { known[encoded.dictionaryIndex($0)] }
  }
}
