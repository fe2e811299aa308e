// What was kept of a user's rows in files is read like the files, and whole days of it without looking for these.

extension EventCollector {
  /// Takes what was kept of each dataset's rows as a source.
  mutating func takeKept(from cache: PageCache) {
    for dataset in datasets.indices {
      guard let key = keptKey(dataset), let rows = cache[key] else { continue }
      if needsIdentities && rows.lackIdentities { continue }
      kept[dataset] = KeptSource(rows, index: sources.count)
      sources.append(UserRows(rows, dataset: dataset))
    }
    guard let groups = groupsKnownOfAll() else { return }
    knownGroups = groups
    if isOutdated() { bringUpToDate() }
    steps.begin(with: knownGroups, of: kept.compactMap { $0 })
  }

  /// The days of which something is known; nil where that is not the same of every dataset.
  private func groupsKnownOfAll() -> [KeptDays.Group]? {
    var found: [KeptDays.Group]?
    for dataset in datasets.indices where datasets[dataset] != nil {
      guard let groups = kept[dataset]?.days?.groups, found.map({ $0 == groups }) ?? true else { return nil }
      found = groups
    }
    return found
  }

  private func isOutdated() -> Bool {
    datasets.indices.contains { datasets[$0]?.fileSet != kept[$0]?.days?.fileSet }
  }

  /// Forgets what was known of days whose files are not the same any more.
  private mutating func bringUpToDate() {
    var changed: [ClosedRange<Day>] = []
    for (snapshot, source) in zip(datasets, kept) {
      if let snapshot, let days = source?.days { changed += days.changes(to: snapshot, of: user) }
    }
    knownGroups = knownGroups.adding(unknown: changed)
    for dataset in datasets.indices {
      guard let snapshot = datasets[dataset], let parts = kept[dataset]?.rows.parts else { continue }
      kept[dataset]!.days = KeptDays(knownGroups, in: snapshot, of: user, parts: parts)
    }
    keepsRows = true
  }

  /// Finds what is kept of whole days: the parts of what each dataset has that are of their files.
  ///
  /// - Returns: those rows, in as few parts as they lie in, of how many files they are, and whether of several of a day.
  func keptParts(_ groups: Range<Int>) -> (parts: [SourcePart], fileCount: Int, areScattered: Bool) {
    var (parts, fileCount, areScattered): ([SourcePart], Int, Bool) = ([], 0, false)
    for case let source? in kept {
      let start = parts.count
      for group in groups.reversed() {
        let before = fileCount
        for place in source.days!.parts[group] {
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
