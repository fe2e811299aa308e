/// Files of all datasets that are read together, because none of the others has events of their days.
struct ReadStep {
  /// No event of them is earlier, in microseconds; nil for what is older than all files.
  var startMicros: Int64?
  /// Their last day; nil where there are no files.
  var lastDay: Day?
  /// Datasets by their place in the plan.
  var files: [(dataset: Int, file: StoreFile)]
  /// Instead of files: numbers of the days among those that are kept of each dataset, the newest first.
  var keptGroups: Range<Int>?
  /// Instead of files: rows that a later step of the same files left.
  var rest: [EventCollector.SourcePart] = []

  /// Whether there is something to look into, which may have rows.
  var hasFiles: Bool { !files.isEmpty || keptGroups != nil || !rest.isEmpty }

  /// For the live log's rows that are older than all files.
  static let rest = ReadStep(startMicros: nil, files: [])
}

/// The steps in which a user's events of a time are read, the newest first; files of other users' shards are in none.
///
/// A step is made when it is asked for: a store may have thousands of days, and most reads end after a few.
struct ReadSteps {
  /// Where looking back begins: steps with nothing on or after this day are not of the window. Nil: all are.
  private let windowStart: (micros: Int64, day: Day)?
  private let hasLive: Bool
  private var files: StepFiles
  /// By dataset that has any, rows of days whose files need not be looked for.
  private var kept: [KeptRows] = []
  /// Which of those days were not stepped over yet.
  private var keptGroups = 0..<0

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
    files = StepFiles(
      datasets, of: user, first: looksBack ? nil : fromMicros.map { Day(micros: $0) },
      last: untilMicros.map { Day(micros: $0 == .min ? $0 : $0 - 1) })
  }

  /// Takes whole days as steps, none of which was made yet, and files of earlier ones after them.
  ///
  /// - Parameters:
  ///   - days: the newest first.
  ///   - rows: those that are kept of them, of each dataset that has any.
  mutating func begin(with days: [KeptDays.Group], of rows: [KeptRows]) {
    guard let oldest = days.last else { return }
    let first = days.firstIndex { files.begin(by: Day(micros: $0.startMicros)) } ?? days.endIndex
    keptGroups = first..<(days[first...].firstIndex { !files.reach($0.lastDay) } ?? days.endIndex)
    kept = rows
    files.leaveOut(from: Day(micros: oldest.startMicros))
  }

  /// Makes two of the step made last: one of what happened from `micros` on, and, after that, one of other rows of its files.
  mutating func split(at micros: Int64, leaving rows: [EventCollector.SourcePart]) {
    let step = made.removeLast()
    let lastDay = step.lastDay.map { min($0, Day(micros: micros - 1)) }
    left = ReadStep(startMicros: step.startMicros, lastDay: lastDay, files: [], rest: rows)
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

  /// Those of the first steps made whose files were looked for.
  func withFiles(before index: Int) -> [ReadStep] { made.prefix(index).filter { !$0.files.isEmpty } }

  /// Whether step `index`, which was made, is one of the window.
  func isInWindow(_ index: Int) -> Bool { windowCount.map { index < $0 } ?? true }

  private mutating func next(_ rowCount: Int) -> ReadStep? {
    let step = left.take() ?? held.take() ?? nextKept(rowCount) ?? files.next()
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

  private mutating func nextKept(_ rowCount: Int) -> ReadStep? {
    guard let days = kept.first?.days?.groups, let first = keptGroups.popFirst() else { return nil }
    var (end, count) = (first + 1, self.rowCount(first))
    let isBefore = isBeforeWindow(days[first].lastDay)
    while count < (isBefore ? 1 : rowCount), end < keptGroups.upperBound, isBeforeWindow(days[end].lastDay) == isBefore
    {
      count += self.rowCount(end)
      end += 1
    }
    keptGroups = end..<keptGroups.upperBound
    return ReadStep(
      startMicros: days[end - 1].startMicros, lastDay: days[first].lastDay, files: [], keptGroups: first..<end)
  }

  /// Of all datasets.
  private func rowCount(_ group: Int) -> Int {
    var count = 0
    for rows in kept { count += rows.rows(ofGroup: group).count }
    return count
  }
}

/// Gives out the files of days in groups that share no day, the newest first.
private struct StepFiles {
  private let datasets: [DatasetSnapshot?]
  private let user: UserProbe
  private let first: Day?
  private var last: Day?
  /// By dataset, the place of the next bucket; none before files are asked for.
  private var places: [Int] = []

  init(_ datasets: [DatasetSnapshot?], of user: UserProbe, first: Day?, last: Day?) {
    (self.datasets, self.user, self.first, self.last) = (datasets, user, first, last)
  }

  /// Leaves days out, before files of any are given out.
  mutating func leaveOut(from day: Day) { last = min(last ?? day, Day(day.number - 1)) }

  /// Whether days until this one are not all before those that are read.
  func reach(_ day: Day) -> Bool { first.map { $0 <= day } ?? true }

  /// Whether days from this one on are not all after those that are read.
  func begin(by day: Day) -> Bool { last.map { day <= $0 } ?? true }

  mutating func next() -> ReadStep? {
    if let first, let last, last < first { return nil }
    if places.isEmpty {
      places = datasets.map { dataset in last.map { dataset?.firstBucket(endingBy: $0) ?? 0 } ?? 0 }
    }
    guard let dataset = newest() else { return nil }
    var days = bucket(dataset).days
    var step = ReadStep(startMicros: nil, lastDay: days.upperBound, files: [])
    take(dataset, into: &step)
    while let dataset = newest(), bucket(dataset).days.upperBound >= days.lowerBound {
      days = min(days.lowerBound, bucket(dataset).days.lowerBound)...days.upperBound
      take(dataset, into: &step)
    }
    step.startMicros = days.lowerBound.startMicros
    return step
  }

  private func bucket(_ dataset: Int) -> Bucket { datasets[dataset]!.buckets[places[dataset]].bucket }

  private mutating func take(_ dataset: Int, into step: inout ReadStep) {
    for file in datasets[dataset]!.buckets[places[dataset]].files where file.mayHold(user) {
      step.files.append((dataset, file))
    }
    places[dataset] += 1
  }

  /// The dataset whose next bucket is the newest.
  private mutating func newest() -> Int? {
    var found: Int?
    for dataset in datasets.indices where findBucket(dataset) {
      if found.map({ bucket($0) < bucket(dataset) }) ?? true { found = dataset }
    }
    return found
  }

  /// Passes over buckets that have nothing of the time or the user.
  private mutating func findBucket(_ dataset: Int) -> Bool {
    guard let buckets = datasets[dataset]?.buckets else { return false }
    while places[dataset] < buckets.count {
      let (bucket, files) = buckets[places[dataset]]
      if let first, bucket.days.upperBound < first { return false }
      if bucket.days.lowerBound <= last ?? bucket.days.lowerBound, files.contains(where: { $0.mayHold(user) }) {
        return true
      }
      places[dataset] += 1
    }
    return false
  }
}

extension DatasetSnapshot {
  /// A place among the buckets before which all begin after `day`.
  fileprivate func firstBucket(endingBy day: Day) -> Int {
    // A month that ends later may begin before: none is longer than that.
    let end = Day(day.number + Bucket.maximumDayCount)
    var (low, high) = (0, buckets.count)
    while low < high {
      let middle = (low + high) / 2
      if buckets[middle].bucket.days.upperBound > end { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
