/// Gives out the files of days in groups that share no day, the newest first.
struct StepFiles {
  private let datasets: [DatasetSnapshot?]
  private let user: UserProbe
  /// Of no day before are files given out; nil: of all.
  let first: Day?
  private var last: Day?
  /// By dataset, the place of the next bucket; none before files are asked for.
  private var places: [Int] = []

  init(_ datasets: [DatasetSnapshot?], of user: UserProbe, first: Day?, last: Day?) {
    (self.datasets, self.user, self.first, self.last) = (datasets, user, first, last)
  }

  /// Leaves out days from this one on.
  mutating func leaveOut(from day: Day) {
    last = min(last ?? day, Day(day.number - 1))
    places = []
  }

  /// Whether no day is left.
  var isEmpty: Bool {
    guard let first, let last else { return false }
    return last < first
  }

  /// The next files of days that do not all lie before `day`.
  mutating func next(notBefore day: Day? = nil) -> ReadStep? {
    if isEmpty { return nil }
    if places.isEmpty {
      places = datasets.map { dataset in last.map { dataset?.firstBucket(endingBy: $0) ?? 0 } ?? 0 }
    }
    guard let dataset = newest() else { return nil }
    if let day, bucket(dataset).days.upperBound < day { return nil }
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
      step.files.append(ReadStep.File(dataset: dataset, file: file))
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
