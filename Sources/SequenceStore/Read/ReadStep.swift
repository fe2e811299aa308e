/// Files of all datasets that are read together, because none of the others has events of their days.
struct ReadStep {
  /// No event of them is earlier, in microseconds; nil where there are no files.
  var startMicros: Int64?
  var files: [(dataset: String, file: StoreFile)]

  /// For the live log's rows that are older than all files.
  static let rest = ReadStep(startMicros: nil, files: [])

  /// The steps for a request, the newest first.
  static func steps(_ datasets: [DatasetSnapshot], _ request: SequenceRequest) -> [ReadStep] {
    var files: [(bucket: Bucket, file: (dataset: String, file: StoreFile))] = []
    let first = request.fromMicros.map { Day(micros: $0) }
    let last = request.untilMicros.map { Day(micros: $0 == .min ? $0 : $0 - 1) }
    for dataset in datasets {
      for (bucket, own) in dataset.buckets
      where bucket.days.upperBound >= first ?? bucket.days.upperBound
        && bucket.days.lowerBound <= last ?? bucket.days.lowerBound
      {
        files += own.map { (bucket, (dataset.name, $0)) }
      }
    }
    return BucketGroup.groups(files).map { ReadStep(startMicros: $0.days.lowerBound.startMicros, files: $0.files) }
  }
}
