// What was kept of a user's rows in files is read like the files, and whole days of it without looking for these.

extension EventCollector {
  /// Takes what was kept of each dataset's rows as a source.
  mutating func takeKept(from cache: PageCache) {
    keptFields = makeKeptFields()
    keptKeys = datasets.map { $0.map { PageCache.RowsKey($0.name, keptFields, user.key) } }
    for (dataset, key) in keptKeys.enumerated() {
      guard let key, let rows = cache[key] else { continue }
      kept[dataset] = KeptSource(rows, index: sources.count)
      sources.append(UserRows(rows, dataset: dataset))
    }
    wholeDays = findWholeDays()
    if let wholeDays { steps.begin(with: wholeDays.groups) }
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

  /// Reads whole days: the parts of what is kept that are of their files, and the rows of the sequence's events there.
  mutating func readKept(
    _ group: Int, _ parts: inout ArraySlice<SourcePart>, _ rows: inout ArraySlice<Found>,
    using context: inout DecodingContext
  ) throws(StoreError) {
    for dataset in kept.indices {
      guard let source = kept[dataset] else { continue }
      // The later first: that is how they are chosen.
      for place in source.rows.days!.groups[group].parts.reversed() {
        let part = source.rows.parts[place]
        if part.rows.isEmpty || !overlaps(part.times) { continue }
        if part.rows.lowerBound < kept[dataset]!.chosenFrom {
          try choose(dataset, from: part.rows, ofGroup: group, using: &context)
        }
        parts.append(SourcePart(source: source.index, rows: part.rows))
        rows.append(kept[dataset]!.takeChosen(part.rows))
      }
    }
  }

  /// Chooses the rows of the sequence's events among those of whole days, of many days at a time.
  ///
  /// - Parameters:
  ///   - rows: the last of them.
  ///   - group: whose they are.
  private mutating func choose(
    _ dataset: Int, from rows: Range<Int>, ofGroup group: Int, using context: inout DecodingContext
  ) throws(StoreError) {
    let source = kept[dataset]!
    var first = rows.lowerBound
    for group in source.rows.days!.groups[group...] where rows.upperBound - first < max(request.last, 256) {
      if let part = source.rows.parts[group.parts].first { first = min(first, part.rows.lowerBound) }
    }
    kept[dataset]!.chosen =
      try candidates(SourcePart(source: source.index, rows: first..<rows.upperBound), using: &context)[...]
    kept[dataset]!.chosenFrom = first
  }
}
