/// A user's retractions in a dataset.
struct UserRetractions {
  /// By event key.
  private let entries: ArraySlice<Retraction>
  /// Those seen later do not count.
  private let untilMicros: Int64
  /// The numbers of the index's event types.
  private let types: [Int32]
  private let marks: KeyMarks?

  /// - Parameters:
  ///   - entries: by event key.
  ///   - untilMicros: those seen later do not count.
  ///   - types: the numbers of the entries' event types, as `EventTypeRules` gives them.
  init(entries: ArraySlice<Retraction>, untilMicros: Int64, types: [Int32]) {
    self.entries = entries
    self.untilMicros = untilMicros
    self.types = types
    marks = entries.count <= KeyMarks.maximumCount ? KeyMarks(of: entries) : nil
  }

  /// Whether a revision of an event is gone.
  ///
  /// - Parameter type: as `EventTypeRules` numbers it.
  func contain(_ key: Int64, _ type: Int32, _ revision: Int32) -> Bool {
    if let marks, !marks.mayContain(key) { return false }
    let entries = entries.span
    var place = Self.first(of: key, in: entries)
    while place < entries.count, entries[place].eventKey == key {
      let entry = entries[place]
      if entry.revision > revision, entry.seenMicros <= untilMicros, types[Int(entry.eventType)] == type { return true }
      place += 1
    }
    return false
  }

  /// The first place whose key is not below `key`.
  @inline(__always) private static func first(of key: Int64, in entries: Span<Retraction>) -> Int {
    var (low, count) = (0, entries.count)
    while count > 0 {
      let half = count / 2
      let isBelow = entries[low + half].eventKey < key
      low = isBelow ? low + half + 1 : low
      count = isBelow ? count - half - 1 : half
    }
    return low
  }
}

/// A bit for each of a few keys, which most others do not meet.
private struct KeyMarks {
  /// With more keys, looking them up costs less than marking them.
  static let maximumCount = 256

  private var words = [UInt64](repeating: 0, count: 64)

  init(of entries: ArraySlice<Retraction>) {
    for entry in entries {
      let bit = Self.bit(entry.eventKey)
      words[bit / 64] |= 1 << UInt64(bit % 64)
    }
  }

  func mayContain(_ key: Int64) -> Bool {
    let bit = Self.bit(key)
    return words[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// The keys of events are hashes.
  @inline(__always) private static func bit(_ key: Int64) -> Int { Int(truncatingIfNeeded: key) & 4_095 }
}
