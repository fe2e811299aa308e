/// What a caller may read.
package struct Access: Sendable, Hashable {
  /// By sequence, or `*` for all that are not named: columns, or nil for all of them.
  private var columns: [String: Set<String>?]

  package init(_ columns: [String: Set<String>?]) { self.columns = columns }

  package static let everything = Access(["*": nil])
  package static let nothing = Access([:])

  /// What is equal is found by few comparisons; most are the same memory.
  package func hash(into hasher: inout Hasher) { hasher.combine(columns.count) }

  private func rule(_ sequence: String) -> Set<String>?? { columns[sequence] ?? columns["*"] }

  package func permits(sequence: String) -> Bool { rule(sequence) != nil }

  package func permits(column: String, of sequence: String) -> Bool {
    guard let rule = rule(sequence) else { return false }
    return rule?.contains(column) ?? true
  }
}
