import Buffers

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
///
/// A column lies by itself, users once each: of large files a retraction takes some 16 bytes, half of what it does as a
/// `Retraction`.
final class RetractionRun: Sendable {
  /// The files' paths.
  let files: Set<String>
  /// Ascending, none twice.
  private let users: [UInt64]
  /// Where each user's retractions begin; behind them where the last one's end.
  private let starts: [UInt32]
  /// Ascending for each user.
  private let eventKeys: [Int64]
  private let seen: PackedIntegers
  private let revisions: PackedIntegers
  private let eventTypes: PackedIntegers

  /// - Parameter entries: in order.
  init(of files: Set<String>, _ entries: [Retraction]) {
    self.files = files
    var (users, starts): ([UInt64], [UInt32]) = ([], [])
    let userCount = zip(entries, entries.dropFirst()).reduce(1) { $0 + ($1.0.user == $1.1.user ? 0 : 1) }
    users.reserveCapacity(userCount)
    starts.reserveCapacity(userCount + 1)
    for (place, entry) in entries.enumerated() where users.last != entry.user {
      users.append(entry.user)
      starts.append(UInt32(place))
    }
    starts.append(UInt32(entries.count))
    (self.users, self.starts) = (users, starts)
    eventKeys = entries.map(\.eventKey)
    seen = PackedIntegers(entries.map(\.seenMicros))
    revisions = PackedIntegers(entries.map { Int64($0.revision) })
    eventTypes = PackedIntegers(entries.map { Int64($0.eventType) })
  }

  /// With those of more files.
  /// - Parameter added: in order.
  func adding(_ more: Set<String>, _ added: [Retraction]) -> RetractionRun {
    var merged: [Retraction] = []
    merged.reserveCapacity(count + added.count)
    var next = 0
    forEachEntry { _, entry in
      while next < added.count, Retraction.precedes(added[next], entry) {
        merged.append(added[next])
        next += 1
      }
      merged.append(entry)
    }
    merged += added[next...]
    return RetractionRun(of: files.union(more), merged)
  }

  var count: Int { eventKeys.count }

  /// In memory.
  var byteCount: Int { users.count * 8 + starts.count * 4 + count * 8 + packedByteCount }

  private var packedByteCount: Int { seen.byteCount + revisions.byteCount + eventTypes.byteCount }

  func forEachEntry(_ body: (_ place: Int, Retraction) -> Void) {
    for (number, user) in users.enumerated() {
      for place in Int(starts[number])..<Int(starts[number + 1]) { body(place, entry(place, of: user)) }
    }
  }

  func containsUser(where predicate: (UInt64) -> Bool) -> Bool { users.contains(where: predicate) }

  /// Where a user's entries are.
  func places(of user: UInt64) -> Range<Int> {
    let number = Self.first(in: users, users.indices) { $0 < user }
    guard number < users.count, users[number] == user else { return 0..<0 }
    return Int(starts[number])..<Int(starts[number + 1])
  }

  /// Calls `body` for a user's entries of a key, until it answers true.
  ///
  /// - Parameter places: of the user's entries.
  /// - Returns: whether it did.
  func contains(
    _ key: Int64, at places: Range<Int>, where body: (_ place: Int, _ revision: Int32, _ eventType: Int32) -> Bool
  ) -> Bool {
    var place = Self.first(in: eventKeys, places) { $0 < key }
    while place < places.upperBound, eventKeys[place] == key {
      if body(place, Int32(revisions[place]), Int32(eventTypes[place])) { return true }
      place += 1
    }
    return false
  }

  func eventKey(_ place: Int) -> Int64 { eventKeys[place] }

  func seenMicros(_ place: Int) -> Int64 { seen[place] }

  private func entry(_ place: Int, of user: UInt64) -> Retraction {
    Retraction(
      user: user, eventKey: eventKeys[place], seenMicros: seen[place], revision: Int32(revisions[place]),
      eventType: Int32(eventTypes[place]))
  }

  /// The first of some places of ascending values for which `isBefore` does not hold.
  @inline(__always) private static func first<Value>(
    in values: [Value], _ places: Range<Int>, _ isBefore: (Value) -> Bool
  ) -> Int {
    var (low, count) = (places.lowerBound, places.count)
    while count > 0 {
      let half = count / 2
      let isBelow = isBefore(values[low + half])
      low = isBelow ? low + half + 1 : low
      count = isBelow ? count - half - 1 : half
    }
    return low
  }
}
