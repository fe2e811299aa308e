/// A user's retractions in a dataset.
struct UserRetractions {
  /// Those of each run, by event key.
  typealias Part = (run: RetractionRun, places: Range<Int>)

  private let parts: [Part]
  /// Those seen later do not count.
  private let untilMicros: Int64
  /// The numbers of the index's event types.
  private let types: [Int32]
  private var marks: KeyMarks?

  /// - Parameters:
  ///   - untilMicros: those seen later do not count.
  ///   - types: the numbers of the entries' event types, as `EventTypeRules` gives them.
  init(parts: [Part], untilMicros: Int64, types: [Int32]) {
    self.parts = parts
    self.untilMicros = untilMicros
    self.types = types
    guard parts.reduce(0, { $0 + $1.places.count }) <= KeyMarks.maximumCount else { return }
    var marks = KeyMarks()
    for (run, places) in parts {
      for place in places { marks.add(run.eventKey(place)) }
    }
    self.marks = marks
  }

  /// Whether a revision of an event is gone.
  ///
  /// - Parameter type: as `EventTypeRules` numbers it.
  func contain(_ key: Int64, _ type: Int32, _ revision: Int32) -> Bool {
    if let marks, !marks.mayContain(key) { return false }
    return parts.contains { run, places in
      run.contains(key, at: places) { place, higher, eventType in
        higher > revision && types[Int(eventType)] == type
          && (untilMicros == .max || run.seenMicros(place) <= untilMicros)
      }
    }
  }
}

/// A bit for each of a few keys, which most others do not meet.
private struct KeyMarks {
  /// With more keys, looking them up costs less than marking them.
  static let maximumCount = 256

  private var words = [UInt64](repeating: 0, count: 64)

  mutating func add(_ key: Int64) {
    let bit = Self.bit(key)
    words[bit / 64] |= 1 << UInt64(bit % 64)
  }

  func mayContain(_ key: Int64) -> Bool {
    let bit = Self.bit(key)
    return words[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// The keys of events are hashes.
  @inline(__always) private static func bit(_ key: Int64) -> Int { Int(truncatingIfNeeded: key) & 4_095 }
}
