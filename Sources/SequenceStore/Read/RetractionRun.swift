/// A retraction: lower revisions of a user's event are gone.
struct Retraction: Sendable, BitwiseCopyable {
  /// XXH64 of the user's key, as in bloom filters.
  var user: UInt64
  var eventKey: Int64
  /// When it was known.
  var seenMicros: Int64
  /// Lower ones are gone.
  var revision: Int32
  /// A number that the index has given to the name.
  var eventType: Int32

  static func precedes(_ left: Retraction, _ right: Retraction) -> Bool {
    (left.user, left.eventKey, left.eventType, left.revision, left.seenMicros)
      < (right.user, right.eventKey, right.eventType, right.revision, right.seenMicros)
  }
}

/// Retractions of some files, in order. Shared by the versions of a table that have these files.
final class RetractionRun: Sendable {
  /// The files' paths.
  let files: Set<String>
  let entries: [Retraction]

  /// - Parameter entries: in order.
  init(of files: Set<String>, _ entries: [Retraction]) {
    self.files = files
    self.entries = entries
  }

  /// With those of more files.
  /// - Parameter added: in order.
  func adding(_ more: Set<String>, _ added: [Retraction]) -> RetractionRun {
    var merged: [Retraction] = []
    merged.reserveCapacity(entries.count + added.count)
    var next = 0
    for entry in entries {
      while next < added.count, Retraction.precedes(added[next], entry) {
        merged.append(added[next])
        next += 1
      }
      merged.append(entry)
    }
    merged += added[next...]
    return RetractionRun(of: files.union(more), merged)
  }

  /// Where a user's entries are.
  func places(of user: UInt64) -> Range<Int> {
    let first = firstPlace { $0.user < user }
    return first..<firstPlace(from: first) { $0.user <= user }
  }

  /// The first place from `start` on for which `isBefore` does not hold.
  func firstPlace(from start: Int = 0, _ isBefore: (Retraction) -> Bool) -> Int {
    var (low, high) = (start, entries.count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(entries[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
