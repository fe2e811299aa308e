// What was kept of a user's rows in files is read like the files, and whole days of it without looking for these.

extension EventCollector {
  /// Takes what was kept of each dataset's rows as a source.
  mutating func takeKept(from cache: PageCache) {
    for dataset in datasets.indices {
      guard let key = keptKey(dataset), let rows = cache[key] else { continue }
      kept[dataset] = KeptSource(rows, index: sources.count)
      sources.append(UserRows(rows, dataset: dataset))
    }
    wholeDays = findWholeDays()
    if let wholeDays { steps.begin(with: wholeDays.groups, of: kept.compactMap { $0?.rows }) }
  }

  /// Days of which all that the request may ask for is kept of every dataset.
  private func findWholeDays() -> KeptDays? {
    var found: KeptDays?
    for (dataset, snapshot) in datasets.enumerated() {
      guard let snapshot else { continue }
      guard let days = kept[dataset]?.rows.days, days.fileSet == snapshot.fileSet,
        !days.groups.isEmpty, days.cover(from: readFromMicros, until: request.untilMicros),
        found?.hasSameDays(as: days) ?? true
      else { return nil }
      found = days
    }
    return found
  }

  /// Finds what is kept of whole days: the parts of what each dataset has that are of their files.
  ///
  /// - Returns: those rows, in as few parts as they lie in, of how many files they are, and whether of several of a day.
  func keptParts(_ groups: Range<Int>) -> (parts: [SourcePart], fileCount: Int, areScattered: Bool) {
    var (parts, fileCount, areScattered): ([SourcePart], Int, Bool) = ([], 0, false)
    for case let source? in kept {
      let days = source.rows.days!.groups
      let start = parts.count
      for group in groups.reversed() {
        let before = fileCount
        for place in days[group].parts {
          let part = source.rows.parts[place]
          if part.rows.isEmpty || !overlaps(part.times) { continue }
          fileCount += 1
          if parts.count > start, parts[parts.count - 1].rows.upperBound == part.rows.lowerBound {
            parts[parts.count - 1].rows = parts[parts.count - 1].rows.lowerBound..<part.rows.upperBound
          } else {
            parts.append(SourcePart(source: source.index, rows: part.rows))
          }
        }
        if fileCount - before > 1 { areScattered = true }
      }
    }
    return (parts, fileCount, areScattered)
  }
}
