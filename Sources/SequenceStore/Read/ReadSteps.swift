/// Files of all datasets that are read together, because none of the others has events of their days.
struct ReadStep {
  struct File {
    /// Its place in the plan.
    let dataset: Int
    let file: StoreFile

    /// No event of it is later, in microseconds.
    var lastMicros: Int64 { file.times?.upperBound ?? .max }
  }

  /// No event of them is earlier, in microseconds; nil for what is older than all files.
  var startMicros: Int64?
  /// Their last day; nil where there are no files.
  var lastDay: Day?
  var files: [File]
  /// Instead of files: places among the groups of days that are known of each dataset, the newest first.
  var keptGroups: Range<Int>?
  /// Instead of files: rows that a later step of the same files left.
  var rest: [EventCollector.SourcePart] = []

  /// Whether there is something to look into, which may have rows.
  var hasFiles: Bool { !files.isEmpty || keptGroups != nil || !rest.isEmpty }

  /// Nil where there are no files.
  var days: ClosedRange<Day>? {
    guard let startMicros, let lastDay else { return nil }
    return Day(micros: startMicros)...lastDay
  }

  /// For the live log's rows that are older than all files.
  static let rest = ReadStep(startMicros: nil, files: [])
}

/// The steps in which a user's events of a time are read, the newest first; files of other users' shards are in none.
///
/// A step is made when it is asked for: a store may have thousands of days, and most reads end after a few.
struct ReadSteps {
  /// The last day that is read; nil: there is none.
  let lastDay: Day?
  /// Where looking back begins: steps with nothing on or after this day are not of the window. Nil: all are.
  private let windowStart: (micros: Int64, day: Day)?
  private let hasLive: Bool
  private var files: StepFiles
  /// By dataset that has any, rows of days whose files need not be looked for.
  private var kept: [KeptSource] = []
  /// The days of which something is known.
  private var groups: [KeptDays.Group] = []
  /// The next one of them.
  private var nextGroup = 0
  /// The time that is read, with what is looked back at, in microseconds; nil: no bound.
  private let readMicros: (from: Int64?, until: Int64?)
  /// Whether nothing is left of that.
  private var isAtEnd = false

  /// Those made so far.
  private(set) var made: [ReadStep] = []
  /// A step that comes after those made.
  private var held: ReadStep?
  /// One that comes before that.
  private var left: ReadStep?
  /// How many steps the window has, once that is known.
  private(set) var windowCount: Int?
  private var hasRest = false

  /// - Parameters:
  ///   - datasets: in the order of the plan's; nil where there is none.
  ///   - fromMicros: where the window begins.
  ///   - looksBack: whether steps before the window are given out, too.
  ///   - hasLive: whether the user has live rows: then a last step takes those that are older than all files.
  init(
    _ datasets: [DatasetSnapshot?], of user: UserProbe, from fromMicros: Int64?, until untilMicros: Int64?,
    looksBack: Bool, hasLive: Bool
  ) {
    windowStart = looksBack ? fromMicros.map { ($0, Day(micros: $0)) } : nil
    self.hasLive = hasLive
    readMicros = (looksBack ? nil : fromMicros, untilMicros)
    lastDay = untilMicros.map { Day(micros: $0 == .min ? $0 : $0 - 1) }
    files = StepFiles(datasets, of: user, first: readMicros.from.map { Day(micros: $0) }, last: lastDay)
  }

  /// Takes days that are whole as steps, before any was made, and looks for the files of all others.
  ///
  /// - Parameter rows: of each dataset that has any, those that are kept; the same is known of the days of all.
  mutating func begin(with groups: [KeptDays.Group], of rows: [KeptSource]) {
    if !files.isEmpty { (self.groups, kept) = (groups, rows) }
  }

  /// Makes two of the step made last: one of what happened from `micros` on, and, after that, one of other rows of its files.
  ///
  /// - Parameter files: those of its files that nobody looked into, which have nothing from `micros` on.
  mutating func split(
    at micros: Int64, leaving rows: [EventCollector.SourcePart] = [], and files: [ReadStep.File] = []
  ) {
    let step = made.removeLast()
    let lastDay = step.lastDay.map { min($0, Day(micros: micros - 1)) }
    left = ReadStep(startMicros: step.startMicros, lastDay: lastDay, files: files, rest: rows)
    if windowCount == made.count + 1 { windowCount! += 1 }
    made.append(step)
    made[made.count - 1].startMicros = micros
  }

  /// Step `index`; nil past the last.
  ///
  /// - Parameter rowCount: how many rows are wanted: as many days as have so few are one step where all that they have is
  ///   known, never more than one by one would have been read.
  mutating func step(_ index: Int, wanting rowCount: Int = 1) -> ReadStep? {
    while made.count <= index {
      guard let next = next(rowCount) else { return nil }
      made.append(next)
    }
    return made[index]
  }

  /// The first day of those that the first steps made read, or found nothing in; nil: all are later.
  func firstDay(ofSteps count: Int) -> Day? {
    isAtEnd ? files.first ?? Day(.min) : made.prefix(count).last { $0.days != nil }?.days?.lowerBound
  }

  /// Whether step `index`, which was made, is one of the window.
  func isInWindow(_ index: Int) -> Bool { windowCount.map { index < $0 } ?? true }

  private mutating func next(_ rowCount: Int) -> ReadStep? {
    let step = left.take() ?? held.take() ?? nextFound(rowCount)
    if let windowStart, windowCount == nil, step?.lastDay.map(isBeforeWindow) ?? true {
      held = step
      windowCount = made.count + (hasLive ? 1 : 0)
      return hasLive ? ReadStep(startMicros: windowStart.micros, files: []) : next(rowCount)
    }
    if let step { return step }
    guard hasLive, !hasRest else { return nil }
    hasRest = true
    return .rest
  }

  private func isBeforeWindow(_ day: Day) -> Bool { windowStart.map { day < $0.day } ?? false }

  /// The next days that may have events in files.
  private mutating func nextFound(_ rowCount: Int) -> ReadStep? {
    while nextGroup < groups.count {
      let group = groups[nextGroup]
      if let lastDay, lastDay < group.days.lowerBound {
        nextGroup += 1
        continue
      }
      if !isRead(nextGroup) { break }
      if isWhole(nextGroup) { return nextKept(rowCount) }
      if let step = files.next(notBefore: group.days.lowerBound) { return step }
      nextGroup += 1
    }
    let step = files.next()
    if step == nil { isAtEnd = true }
    return step
  }

  private func isWhole(_ group: Int) -> Bool { groups[group].isWhole(from: readMicros.from, until: readMicros.until) }

  private mutating func nextKept(_ rowCount: Int) -> ReadStep {
    let first = nextGroup
    let lastDay = groups[first].days.upperBound
    let isBefore = isBeforeWindow(lastDay)
    var count = 0
    repeat {
      count += self.rowCount(nextGroup)
      nextGroup += 1
    } while count < (isBefore ? 1 : rowCount) && nextGroup < groups.count && isWhole(nextGroup)
      && isBeforeWindow(groups[nextGroup].days.upperBound) == isBefore && isRead(nextGroup)
    let firstDay = groups[nextGroup - 1].days.lowerBound
    files.leaveOut(from: firstDay)
    return ReadStep(
      startMicros: firstDay.startMicros, lastDay: lastDay, files: [], keptGroups: first..<nextGroup)
  }

  /// Whether a group is not all before what is read.
  private func isRead(_ group: Int) -> Bool { files.first.map { $0 <= groups[group].days.upperBound } ?? true }

  /// Of all datasets.
  private func rowCount(_ group: Int) -> Int {
    var count = 0
    for rows in kept { count += rows.rowCount(ofGroup: group) }
    return count
  }
}
