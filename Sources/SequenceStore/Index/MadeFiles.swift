/// The files that a commit makes of a table's rows. A commit that is repeated, for another came first, makes those anew whose
/// rows lie in other files by then.
struct MadeFiles<Key: Hashable> {
  private var known: [Key: (sources: Set<String>, files: [FinishedFile])] = [:]
  /// All that were made.
  private(set) var all: [FinishedFile] = []

  /// - Parameters:
  ///   - sources: where the rows lie.
  ///   - make: writes them; files that it was given may be among those that it answers.
  mutating func files(
    for key: Key, of sources: [StoreFile], make: () throws(StoreError) -> [FinishedFile]
  ) throws(StoreError) -> [FinishedFile] {
    let paths = Set(sources.map(\.path))
    if let known = known[key], known.sources == paths { return known.files }
    let made = try make()
    known[key] = (paths, made)
    all += made
    return made
  }
}
