import Arrow
import Definitions

extension StoreFile {
  /// The user's rows, per row group that has some.
  func rows(
    of user: UserProbe, dataset: Int, deriving derived: DerivedColumns, using context: inout DecodingContext
  ) throws(StoreError) -> [UserRows] {
    let opened = try open()
    var found: [UserRows] = []
    for (index, group) in opened.groups.enumerated() where try group.mayHold(user) {
      let origin = RowOrigin.file(opened, group: index, path: path, derived)
      do {
        let candidates = try group.index().candidateRows(user)
        guard !candidates.isEmpty else { continue }
        let (rows, selected) =
          group.isSorted && candidates.count == 1
          ? (try opened.sortedRows(of: user, index, candidates[0], using: &context), nil)
          : try opened.scatteredRows(of: user, index, candidates, using: &context)
        guard !rows.isEmpty else { continue }
        found.append(UserRows(dataset: dataset, origin: origin, rows: rows, selected: selected))
      } catch { throw StoreError(error, at: path) }
    }
    return found
  }
}

extension OpenedFile {
  private func users(
    _ group: Int, _ rows: Range<Int>, _ user: UserProbe, using context: inout DecodingContext
  ) throws(StoreError) -> ArrowArray {
    guard let column = columnIndices[SystemColumns.user] else {
      throw .damaged(path: "", what: "column 'user_id' is missing")
    }
    let users = try read([column], group: group, rows: rows, using: &context)[0]
    let wanted: DataType = if case .integer = user.key { .int64 } else { .utf8 }
    guard users.type == wanted, users.nullCount == 0 else {
      throw .damaged(path: "", what: "column 'user_id' is \(users.type) or has nulls; \(wanted) is asked for")
    }
    return users
  }

  /// The user's rows in a sorted row group, given the rows of the pages that may hold them.
  fileprivate func sortedRows(
    of user: UserProbe, _ group: Int, _ candidates: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> Range<Int> {
    let (first, last) = try groups[group].index().edgePages(of: candidates)
    let head = try users(group, first, user, using: &context)
    let start = first.lowerBound + user.lowerBound(in: head, 0..<head.count)
    if first == last { return start..<first.lowerBound + user.upperBound(in: head, 0..<head.count) }
    let tail = try users(group, last, user, using: &context)
    let end = last.lowerBound + user.upperBound(in: tail, 0..<tail.count)
    return start..<max(start, end)
  }

  /// The user's rows where they may lie anywhere among `candidates`.
  fileprivate func scatteredRows(
    of user: UserProbe, _ group: Int, _ candidates: [Range<Int>], using context: inout DecodingContext
  ) throws(StoreError) -> (Range<Int>, [Int32]?) {
    var places: [Int] = []
    for range in candidates {
      let users = try users(group, range, user, using: &context)
      for row in 0..<users.count where user.order(of: users, row) == 0 { places.append(range.lowerBound + row) }
    }
    guard let first = places.first, let last = places.last else { return (0..<0, nil) }
    return (first..<last + 1, places.map { Int32($0 - first) })
  }
}
