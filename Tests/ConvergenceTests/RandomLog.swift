import SequenceStore
import TestSupport

/// A raw log as life writes it, and what else a run must know of it.
///
/// Events come late, twice (with the same or another arrival), corrected (with another `ts`, type, user or other columns),
/// taken back by a filter that they no longer pass and brought in again, their corrections before themselves; between
/// them lie lines that are no events. Times are few, so that many are equal.
///
/// What the store does not promise is left out:
/// - Rows of one event and revision agree in user, type, `ts` and the filter's outcome; other columns may differ.
/// - A row that comes later than it says (it is repeated) is one that came before: a batch takes its input to have all
///   that arrived until its horizon.
/// - A lower revision arrives at most the source's lateness after a higher one.
/// - The log is in the order of arrival, save for lines that are repeated as they were.
struct RandomLog {
  struct Line {
    var text: String
    /// Its place in the order of arrival, in milliseconds.
    var arrivalMillis: Int64
    /// Nil where the line is no event.
    var event: Version?
  }

  /// What a line says of an event.
  struct Version: Hashable {
    var id: Int
    var revision: Int
    var user: Int
    var millis: Int64
    var kind: String
    var item: Int?
    var duration: Int?
    var seenMillis: Int64

    var passesFilter: Bool { duration ?? 0 >= 1_000 }
    var day: Day { Day(micros: millis * 1_000) }
  }

  static let dayMillis: Int64 = 86_400_000
  /// 2026-08-30: the days lie in two months.
  static let startMillis: Int64 = 20_695 * dayMillis
  static let dayCount = 5
  static let kinds = ["click", "save", "view"]

  let lines: [Line]
  let variant: LogVariant

  /// - Parameter eventCount: how many events there are; each has a line or more.
  init(_ variant: LogVariant, eventCount: ClosedRange<Int> = 8...30, _ random: inout SeededRandom) {
    self.variant = variant
    let count = Int.random(in: eventCount, using: &random)
    let clock = Self.clock(Int.random(in: count...2 * count, using: &random), &random)
    var lines: [Line] = []
    for id in 0..<count { lines += Self.history(of: id, variant, clock, &random) }
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      let text = Self.malformed.randomElement(using: &random)!
      lines.append(Line(text: text, arrivalMillis: clock.randomElement(using: &random)!))
    }
    lines.shuffle(using: &random)
    self.lines = lines.sorted { $0.arrivalMillis < $1.arrivalMillis }
  }

  /// The moments at which lines arrive, ascending.
  private static func clock(_ count: Int, _ random: inout SeededRandom) -> [Int64] {
    var now = startMillis + Int64.random(in: 0...3 * dayMillis, using: &random)
    return (0..<count).map { _ in
      let isPause = Int.random(in: 0..<6, using: &random) == 0
      now += Int64.random(in: 1...(isPause ? dayMillis / 2 : 2_000), using: &random)
      return now
    }
  }

  /// All deliveries of the revisions of one event.
  private static func history(
    of id: Int, _ variant: LogVariant, _ clock: [Int64], _ random: inout SeededRandom
  ) -> [Line] {
    var versions: [(version: Version, arrival: Int64)] = []
    var moment = Int.random(in: clock.indices, using: &random)
    // Each revision comes shortly before the one below it.
    let isReversed = Int.random(in: 0..<3, using: &random) == 0
    var version = Version(
      id: id, revision: 0, user: Int.random(in: 0..<4, using: &random), millis: time(&random),
      kind: kinds.randomElement(using: &random)!, item: 0, duration: 0, seenMillis: 0)
    let isCorrected = isReversed || Bool.random(using: &random)
    for revision in 0...(isCorrected ? Int.random(in: 1...3, using: &random) : 0) {
      version.revision = revision
      version.item = Bool.random(using: &random) ? Int.random(in: 0..<9, using: &random) : nil
      version.duration = Int.random(in: 0..<8, using: &random) == 0 ? nil : Int.random(in: 500...2_500, using: &random)
      if revision > 0 { change(&version, variant, &random) }
      let isSecondAhead = isReversed && revision > 0
      moment =
        isSecondAhead
        ? max(0, moment - Int.random(in: 0...2, using: &random)) : Int.random(in: clock.indices, using: &random)
      let copies = Int.random(in: 0..<3, using: &random) == 0 ? Int.random(in: 2...3, using: &random) : 1
      for copy in 0..<copies {
        let isAtOnce = copy > 0 && Bool.random(using: &random)
        let arrival =
          copy == 0 ? clock[moment] : isAtOnce ? versions.last!.arrival : clock.randomElement(using: &random)!
        let isRepeated = copy > 0 && Int.random(in: 0..<3, using: &random) == 0
        if !isRepeated { version.seenMillis = arrival }
        if copy > 0, !isRepeated { version.item = Int.random(in: 10..<20, using: &random) }
        // What is repeated as it was comes after what it repeats.
        versions.append((version, max(arrival, version.seenMillis)))
      }
    }
    return inTime(versions, variant).map { version, arrival in
      Line(text: variant.line(version), arrivalMillis: arrival, event: version)
    }
  }

  private static func time(_ random: inout SeededRandom) -> Int64 {
    let day = Int64.random(in: 0..<Int64(dayCount), using: &random)
    return startMillis + day * dayMillis + Int64.random(in: 0..<4, using: &random) * 1_000
  }

  /// What a correction may do beside changing columns.
  private static func change(_ version: inout Version, _ variant: LogVariant, _ random: inout SeededRandom) {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: version.millis = time(&random)
    case 4: version.user = Int.random(in: 0..<4, using: &random)
    case 5 where !variant.hasTypeField: version.kind = kinds.randomElement(using: &random)!
    default: break
    }
  }

  /// Without the deliveries that come later than the lateness allows.
  private static func inTime(
    _ versions: [(version: Version, arrival: Int64)], _ variant: LogVariant
  ) -> [(version: Version, arrival: Int64)] {
    versions.filter { version, arrival in
      !versions.contains { other, known in
        other.revision > version.revision && known + variant.latenessMillis <= arrival
      }
    }
  }

  private static let malformed = [
    "{\"user\":", "no json", "[]", "{\"user\":{\"id\":1},\"ts\":5}", "{\"id\":\"x\",\"ts\":1}}", "\u{1}",
    "{\"user\":{\"id\":{}},\"ts\":\"never\",\"id\":\"e1\",\"rev\":7,\"kind\":\"click\"}",
  ]

  // MARK: Parts

  func text(_ range: Range<Int>) -> String { lines[range].map { $0.text + "\n" }.joined() }

  /// The places between lines where all that arrived at one moment is before or after.
  var moments: [Int] {
    [0] + lines.indices.dropFirst().filter { lines[$0 - 1].arrivalMillis < lines[$0].arrivalMillis } + [lines.count]
  }

  /// The lines whose event has another line before them that stands above them, or that only content tells from them: who
  /// has one of both does not know yet which of them holds.
  var rivals: [Int] {
    places { earlier, later in
      if earlier.revision != later.revision { return earlier.revision > later.revision }
      return earlier.item != later.item && (!variant.hasArrival || earlier.seenMillis == later.seenMillis)
    }
  }

  /// The lines of events that the last revision, which came before, took back or moved to another day: without it they
  /// would be there again.
  var revivals: [Int] {
    let last = Dictionary(lines.compactMap(\.event).map { ($0.id, $0.revision) }, uniquingKeysWith: max)
    return places { earlier, later in
      earlier.revision > later.revision && earlier.revision == last[later.id] && later.passesFilter
        && (!earlier.passesFilter || earlier.day != later.day)
    }
  }

  /// The lines whose event has another line before them that is as `condition` says.
  private func places(where condition: (_ earlier: Version, _ later: Version) -> Bool) -> [Int] {
    lines.indices.filter { place in
      guard let later = lines[place].event else { return false }
      return lines[..<place].contains { line in line.event.map { $0.id == later.id && condition($0, later) } ?? false }
    }
  }
}
