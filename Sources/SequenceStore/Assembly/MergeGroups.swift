/// Groups of one user's events, formed from the newest event back; `MergeDefinition` says of which.
struct MergeGroups {
  private let withinMicros: Int64
  /// By key the latest group that was begun, and when its newest event happened.
  private var latest: [Int64: (group: Int, micros: Int64)] = [:]
  /// By group, the actions that its events have, a bit each.
  private(set) var actions: [UInt64] = []

  init(withinMicros: Int64) { self.withinMicros = withinMicros }

  /// Adds an event; none is newer than those before.
  ///
  /// - Parameter key: nil makes it a group of its own.
  /// - Returns: its group, and whether it is the newest there.
  mutating func add(key: Int64?, micros: Int64, actions bits: UInt64) -> (group: Int, isNewest: Bool) {
    if let key, let known = latest[key], !known.micros.isLater(than: micros, by: withinMicros) {
      actions[known.group] |= bits
      return (known.group, false)
    }
    actions.append(bits)
    if let key { latest[key] = (actions.count - 1, micros) }
    return (actions.count - 1, true)
  }
}
