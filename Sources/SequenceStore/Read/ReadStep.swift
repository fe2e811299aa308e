/// Files of all datasets that are read together, because none of the others has events of their days.
struct ReadStep {
  /// No event of them is earlier, in microseconds; nil for what is older than all files.
  var startMicros: Int64?
  /// Their last day; nil where there are no files.
  var lastDay: Day?
  var files: [(dataset: String, file: StoreFile)]

  /// For the live log's rows that are older than all files.
  static let rest = ReadStep(startMicros: nil, files: [])

  /// The steps for the events of a time, the newest first; files of other users' shards are in none.
  static func steps(
    _ datasets: [DatasetSnapshot], of user: UserProbe, from fromMicros: Int64?, until untilMicros: Int64?
  ) -> [ReadStep] {
    var files: [(bucket: Bucket, file: (dataset: String, file: StoreFile))] = []
    let first = fromMicros.map { Day(micros: $0) }
    let last = untilMicros.map { Day(micros: $0 == .min ? $0 : $0 - 1) }
    for dataset in datasets {
      for (bucket, own) in dataset.buckets
      where bucket.days.upperBound >= first ?? bucket.days.upperBound
        && bucket.days.lowerBound <= last ?? bucket.days.lowerBound
      {
        for file in own where file.mayHold(user) { files.append((bucket, (dataset.name, file))) }
      }
    }
    return BucketGroup.groups(files).map { group in
      ReadStep(
        startMicros: group.days.lowerBound.startMicros, lastDay: group.days.upperBound, files: group.files)
    }
  }
}
