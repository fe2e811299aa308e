import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

// Which of a source's rows are the sequence's events is decided a column at a time.

extension EventCollector {
  mutating func readRows(_ step: ReadStep, using context: inout DecodingContext) throws(StoreError) {
    var (parts, rows): ([SourcePart], [Found]) = (step.rest, [])
    var (startMicros, fileCount, isScattered) = (step.startMicros, 0, false)
    isPastLive = startMicros ?? .min < liveFromMicros
    if let groups = step.keptGroups {
      (parts, fileCount, isScattered) = keptParts(groups)
    } else {
      if mayCorrectOthers, !step.files.isEmpty { mayRepeat = true }
      let left = try readFiles(step.files, into: &parts, using: &context)
      // Most users have no rows in most files.
      if parts.isEmpty, left.isEmpty, live.isEmpty, !isPastLive, !mayRepeat { return candidates.append(rows) }
      if !isPastLive, let start = try leaveOlder(of: &parts, and: left, using: &context) { startMicros = start }
      fileCount = parts.count
      isScattered =
        !areInOrder(parts)
        || parts.count > 1 && Set(parts.map { sources[$0.source].dataset }).count < parts.count
    }
    if isPastLive {
      try leaveLackingLive(of: &parts, using: &context)
      startMicros = liveFromMicros
    }
    for part in parts { rows.append(try candidates(part, using: &context)) }
    if isPastLive { rows.removeAll { $0.micros < liveFromMicros } }
    readCount += fileCount
    unsettled += parts
    if isScattered { mayRepeat = true }
    var isMixed = parts.count > 1 || isScattered
    if !live.isEmpty {
      let early = live.prefix { $0.micros < startMicros ?? .min }.count
      if early < live.count { isMixed = true }
      rows += live[early...]
      live.removeSubrange(early...)
    }
    if isMixed { try sort(&rows, using: &context) }
    candidates.append(rows)
    try settle(using: &context)
  }

  /// Reads files, those with the newest events first, until enough live events are newer than all that others have, or the
  /// user turns out to have very many rows.
  /// - Returns: those others.
  private mutating func readFiles(
    _ files: [ReadStep.File], into parts: inout [SourcePart], using context: inout DecodingContext
  ) throws(StoreError) -> [ReadStep.File] {
    let files = wantedFiles(files)
    let enoughMicros = enoughLiveMicros ?? .min
    var (rowCount, mayLeave) = (0, !isPastLive)
    for (index, next) in files.enumerated() {
      if mayLeave, next.lastMicros < .max,
        next.lastMicros < enoughMicros || haveVeryMany(rowCount, share: (index, files.count))
      {
        return Array(files[index...])
      }
      let read = try self.parts(of: next.file, next.dataset, using: &context)
      rowCount += read.reduce(0) { $0 + $1.rows.count }
      if !areInOrder(read) { mayLeave = false }
      parts += read
    }
    return []
  }

  /// Those of a step's files that may have something of the time, the one with the newest events first.
  private func wantedFiles(_ files: [ReadStep.File]) -> [ReadStep.File] {
    func isWanted(_ file: ReadStep.File) -> Bool {
      overlaps(file.file.times) && (!isPastLive || file.lastMicros >= liveFromMicros)
    }
    if files.count == 1 { return isWanted(files[0]) ? files : [] }
    return files.filter { isWanted($0) }.sorted { $0.lastMicros > $1.lastMicros }
  }

  /// Reads the live rows of the sequence's events, which are given to steps as these come.
  mutating func readLive(using context: inout DecodingContext) throws(StoreError) {
    for index in sources.indices {
      let part = SourcePart(source: index, rows: 0..<sources[index].rows.count)
      readCount += 1
      unsettled.append(part)
      live += try candidates(part, using: &context)
    }
    live.sort { $0.micros < $1.micros }
  }

  /// The user's rows in a file: kept, or read.
  private mutating func parts(
    of file: StoreFile, _ dataset: Int, using context: inout DecodingContext
  ) throws(StoreError) -> [SourcePart] {
    keepsRows = context.cache != nil
    if let known = kept[dataset]?.part(of: file) {
      let parts = known.isEmpty ? [] : [SourcePart(source: kept[dataset]!.index, rows: known)]
      visits.append(Visit(dataset: dataset, step: candidates.count, file: file, rows: parts))
      return parts
    }
    var parts: [SourcePart] = []
    let keys = mayRepeat ? keyColumns + [.eventKey] : keyColumns
    for rows in try file.rows(of: user, dataset: dataset, deriving: datasets[dataset]!.derived, using: &context) {
      try rows.announce(keys, reading.kept, last: wantedCount, using: context)
      parts.append(SourcePart(source: sources.count, rows: 0..<rows.rows.count))
      sources.append(rows)
    }
    visits.append(Visit(dataset: dataset, step: candidates.count, file: file, rows: parts))
    return parts
  }

  /// Whether rows were read of files just now.
  private var hasFileRows: Bool { sources.contains { if case .file = $0.origin { true } else { false } } }

  /// Whether a file whose events are of some times, any where it does not say, may have some that are looked for.
  func overlaps(_ times: ClosedRange<Int64>?) -> Bool {
    guard let times else { return true }
    return times.upperBound >= readFromMicros ?? .min && times.lowerBound < request.untilMicros ?? .max
  }

  /// No event before is looked for, in microseconds.
  var readFromMicros: Int64? { reading.computers.isEmpty ? fromMicros : nil }

  /// Rows of events that the sequence has, in their order.
  mutating func candidates(
    _ part: SourcePart, using context: inout DecodingContext
  ) throws(StoreError) -> [Found] {
    let index = part.source
    let isLive = sources[index].isLive
    try sources[index].load(isLive ? keyColumns + [.retracted] : keyColumns, using: &context)
    try addMergeInputs(index, using: &context)
    var wanted = WantedRows(part, selected: sources[index].selected)
    if let filter = plan.computed.filter { wanted.keep(try passing(filter, part, using: &context)) }
    if isLive { wanted.drop(try sources[index].key(.retracted).bits) }
    if let known = try known(part) { wanted.keep(known) }
    let (times, revisions) = (try sources[index].values(.ts), try sources[index].values(.revision))
    if !mayRepeat, wanted.haveCorrections(revisions) {
      if sources[index].isWithoutRepeats, !hasFileRows { mayCorrectOthers = true } else { mayRepeat = true }
    }
    guard hasTypes else { return wanted.rows(times) }
    let types = try sources[index].codedTypes()
    let dataset = sources[index].dataset
    var gone: (UserRetractions, keys: Buffer, revisions: Buffer)?
    if let known = retractions[dataset] { gone = (known, try sources[index].values(.eventKey), revisions) }
    return wanted.rows(times, types.codes, numbers: numbers(of: types.names, dataset), without: gone)
  }

  /// The numbers of names as types, -1 for those that the sequence does not have of the dataset.
  private mutating func numbers(of names: TypeNames, _ dataset: Int) -> [Int32] {
    for known in typeNumbers where known.names === names && known.dataset == dataset { return known.numbers }
    let wanted = reading.eventTypes[dataset]
    let numbers = names.names.map { wanted?.contains($0) ?? true ? types.number(of: $0) : -1 }
    typeNumbers.append((names, dataset, numbers))
    return numbers
  }

  /// Which of some rows had arrived by the time that the request asks for; nil: all.
  func known(_ part: SourcePart) throws(StoreError) -> Bitmap? {
    guard let limit = request.knownAtMicros else { return nil }
    let seen = try sources[part.source].values(.seenAt)
    return Bitmap(part.rows.map { seen.load($0, as: Int64.self) <= limit })
  }

  /// Which of some rows the sequence's filter holds for.
  private mutating func passing(
    _ filter: CheckedExpression, _ part: SourcePart, using context: inout DecodingContext
  ) throws(StoreError) -> Bitmap {
    filter.evaluate(batch: try sources[part.source].columns(plan.filterFields, at: part.rows, using: &context)).trueRows
  }
}

extension Array {
  /// Appends elements, without a copy where these are the first.
  mutating func append(_ elements: [Element]) {
    if isEmpty { self = elements } else { self += elements }
  }
}
