import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions
import Parquet

/// What one thread decodes pages with.
struct DecodingContext: ~Copyable {
  var decoder = PageDecoder()
  let options: ReadOptions
  /// Where decoded pages are kept; nil: nowhere.
  let cache: PageCache?

  init(verifiesChecksums: Bool, cache: PageCache? = nil) {
    var options = ReadOptions()
    options.verifiesChecksums = verifiesChecksums
    options.dictionaryColumns = [SystemColumns.eventType]
    self.options = options
    self.cache = cache
  }
}

/// Where rows of one dataset lie.
enum RowOrigin {
  /// A row group of a data file, and the system columns that it need not have.
  case file(OpenedFile, group: Int, path: String, DerivedColumns)
  case live(LiveRows.Source)

  /// What an error names.
  var place: String {
    switch self {
    case .file(_, _, let path, _): path
    case .live(let rows): "the live log's rows of dataset '\(rows.dataset)'"
    }
  }

  /// The column that `name` must be derived from; nil where it is stored or cannot be derived.
  func source(of name: String) -> String? {
    guard case .file(let file, _, _, let derived) = self else { return nil }
    return derived.source(of: name, in: file.file.schema)
  }

  /// Some rows of those of the columns that are there.
  func read(
    _ names: [String], rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    switch self {
    case .file(let file, let group, let path, _):
      let columns = names.compactMap { file.file.schema.columnIndex(of: $0) }
      if columns.isEmpty { return RecordBatch(Schema([]), [], rowCount: rows.count) }
      do {
        return try file.read(columns, group: group, rows: rows, using: &context)
      } catch { throw StoreError(error, at: path) }
    case .live(let source):
      var (fields, columns): ([Field], [ArrowArray]) = ([], [])
      for name in names {
        guard let column = source.column(name, rows) else { continue }
        fields.append(Field(name, column.type))
        columns.append(column)
      }
      return RecordBatch(Schema(fields), columns, rowCount: rows.count)
    }
  }
}

/// Consecutive rows of one origin, among them the user's, with the columns that select them.
struct UserRows {
  let dataset: String
  let origin: RowOrigin
  /// Counted from the origin's first.
  let rows: Range<Int>
  /// Those of `rows` that are the user's, counted from its first; nil: all.
  let selected: [Int32]?
  /// The key columns of `rows`, by name.
  private(set) var keys: [String: ArrowArray] = [:]

  init(dataset: String, origin: RowOrigin, rows: Range<Int>, selected: [Int32]?) {
    self.dataset = dataset
    self.origin = origin
    self.rows = rows
    self.selected = selected
  }

  /// All rows of the live log.
  init(_ live: LiveRows.Source) {
    self.init(dataset: live.dataset, origin: .live(live), rows: 0..<live.rows.count, selected: nil)
  }

  var isLive: Bool { if case .live = origin { true } else { false } }

  var count: Int { selected?.count ?? rows.count }

  /// Place `index` among the user's rows, counted from the first of `rows`.
  @inline(__always) func place(_ index: Int) -> Int { selected.map { Int($0[index]) } ?? index }

  /// Reads columns by name, those that were not read yet, or derives them. Columns that are not there stay absent.
  mutating func load(_ names: [String], using context: inout DecodingContext) throws(StoreError) {
    let missing = names.filter { keys[$0] == nil }
    guard !missing.isEmpty else { return }
    var wanted = missing
    for source in missing.compactMap({ origin.source(of: $0) }) where keys[source] == nil && !wanted.contains(source) {
      wanted.append(source)
    }
    let batch = try origin.read(wanted, rows: rows, using: &context)
    for (field, column) in zip(batch.schema.fields, batch.columns) { keys[field.name] = column }
    for name in missing {
      guard let source = origin.source(of: name).flatMap({ keys[$0] }) else { continue }
      keys[name] = DerivedColumns.column(name, keys[name], from: source)
    }
  }

  /// Loads those of the columns that are not stored, as far as they can be derived.
  mutating func derive(_ names: [String], using context: inout DecodingContext) throws(StoreError) {
    try load(names.filter { origin.source(of: $0) != nil }, using: &context)
  }

  /// The column, which all events have.
  func key(_ name: String, _ type: DataType) throws(StoreError) -> ArrowArray {
    guard let column = keys[name], column.type.valueType == type, column.nullCount == 0 else {
      throw .damaged(path: origin.place, what: "system column '\(name)' is missing, of another type, or null")
    }
    return column
  }

  /// Columns `fields` of places `range`, those that are not there null.
  func columns(
    _ fields: [Field], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let unread = fields.map(\.name).filter { keys[$0] == nil }
    let rows = rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound
    let read = try origin.read(unread, rows: rows, using: &context)
    var columns: [ArrowArray] = []
    for field in fields {
      let column = keys[field.name]?.slice(range) ?? read[field.name]
      do {
        columns.append(
          try column?.conformed(to: field.type, column: field.name) ?? ArrowArray(nulls: field.type, count: range.count)
        )
      } catch { throw StoreError(error, at: origin.place) }
    }
    return RecordBatch(Schema(fields), columns, rowCount: range.count)
  }

  /// What decides between rows of one event, revision and time of arrival; one of each of `rows`.
  ///
  /// - Parameter fields: the columns of the dataset's table; a live row has its own.
  func contentHashes(_ fields: [Field], using context: inout DecodingContext) throws(StoreError) -> [UInt64] {
    guard case .live(let live) = origin else {
      return try columns(fields, at: 0..<rows.count, using: &context).contentHashes()
    }
    let own = live.schema.fields.map { Field($0.name, $0.type.valueType) }
    return try columns(own, at: 0..<rows.count, using: &context).contentHashes()
  }
}

extension StoreFile {
  /// The user's rows, per row group that has some.
  func rows(
    of user: UserProbe, dataset: String, deriving derived: DerivedColumns, using context: inout DecodingContext
  ) throws(StoreError) -> [UserRows] {
    let opened = try open()
    var found: [UserRows] = []
    for (index, group) in opened.groups.enumerated() {
      let candidates = group.candidateRows(user)
      guard !candidates.isEmpty, group.mayContain(user) else { continue }
      do {
        let (rows, selected) =
          group.isSorted && candidates.count == 1
          ? (try opened.sortedRows(of: user, index, candidates[0], using: &context), nil)
          : try opened.scatteredRows(of: user, index, candidates, using: &context)
        guard !rows.isEmpty else { continue }
        found.append(
          UserRows(
            dataset: dataset, origin: .file(opened, group: index, path: path, derived), rows: rows, selected: selected))
      } catch { throw StoreError(error, at: path) }
    }
    return found
  }
}

extension OpenedFile {
  private func users(
    _ group: Int, _ rows: Range<Int>, _ user: UserProbe, using context: inout DecodingContext
  ) throws(StoreError) -> ArrowArray {
    guard let column = file.schema.columnIndex(of: SystemColumns.user) else {
      throw .damaged(path: "", what: "column 'user_id' is missing")
    }
    let batch = try read([column], group: group, rows: rows, using: &context)
    let users = batch.columns[0]
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
    let (first, last) = groups[group].edgePages(of: candidates)
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
