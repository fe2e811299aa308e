import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
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
}

/// Consecutive rows of one origin, among them the user's, with the columns that select them.
struct UserRows {
  /// Its place among the plan's.
  let dataset: Int
  let origin: RowOrigin
  /// Counted from the origin's first.
  let rows: Range<Int>
  /// Those of `rows` that are the user's, counted from its first; nil: all.
  let selected: [Int32]?
  private var keys = KeyColumns()

  init(dataset: Int, origin: RowOrigin, rows: Range<Int>, selected: [Int32]?) {
    self.dataset = dataset
    self.origin = origin
    self.rows = rows
    self.selected = selected
  }

  /// All rows of the live log.
  init(_ live: LiveRows.Source, dataset: Int) {
    self.init(dataset: dataset, origin: .live(live), rows: 0..<live.rows.count, selected: nil)
  }

  var isLive: Bool { if case .live = origin { true } else { false } }

  var count: Int { selected?.count ?? rows.count }

  /// Place `index` among the user's rows, counted from the first of `rows`.
  @inline(__always) func place(_ index: Int) -> Int { selected.map { Int($0[index]) } ?? index }

  // MARK: Key columns

  /// Reads columns, those that were not read yet, or derives them. Columns that are not there stay absent.
  mutating func load(_ columns: [KeyColumn], using context: inout DecodingContext) throws(StoreError) {
    let missing = columns.filter { keys[$0] == nil }
    guard !missing.isEmpty else { return }
    switch origin {
    case .live(let source):
      for column in missing { keys[column] = source.column(column.name, rows) }
    case .file(let file, let group, let path, let derived):
      do {
        try load(missing, file, group, derived, using: &context)
      } catch { throw StoreError(error, at: path) }
    }
  }

  private mutating func load(
    _ missing: [KeyColumn], _ file: OpenedFile, _ group: Int, _ derived: DerivedColumns,
    using context: inout DecodingContext
  ) throws(StoreError) {
    let stored = missing.filter { file.keyColumns[$0.rawValue] != nil }
    let columns = try file.read(stored.map { file.keyColumns[$0.rawValue]! }, group: group, rows: rows, using: &context)
    for (key, column) in zip(stored, columns) { keys[key] = column }
    for key in missing where keys[key].map({ $0.nullCount > 0 }) ?? true {
      guard let name = derived[key.name], let source = file.columnIndices[name] else { continue }
      if key == .eventKey, keys[key] == nil {
        keys[key] = try file.eventKeys(ofColumn: source, group: group, rows: rows, using: &context)
      } else {
        let values = try file.read([source], group: group, rows: rows, using: &context)[0]
        keys[key] = DerivedColumns.column(key.name, keys[key], from: values)
      }
    }
  }

  /// A column that was loaded, which all events have.
  func key(_ key: KeyColumn) throws(StoreError) -> ArrowArray {
    guard let column = keys[key], column.type.valueType == key.type, column.nullCount == 0 else {
      throw .damaged(path: origin.place, what: "system column '\(key.name)' is missing, of another type, or null")
    }
    return column
  }

  /// How two rows stand to each other by their event types and keys, as far as these were loaded.
  static func order(_ left: UserRows, _ leftPlace: Int, _ right: UserRows, _ rightPlace: Int) -> Int {
    for key in [KeyColumn.eventType, .eventKey] {
      guard let column = left.keys[key], let other = right.keys[key] else { continue }
      let order = column.compare(leftPlace, other, rightPlace)
      if order != 0 { return order }
    }
    return 0
  }

  // MARK: Any columns

  /// Columns `fields` of places `range`, those that are not there null; each in the parts that pages hold of it, in their
  /// order, with or without a dictionary.
  mutating func parts(
    _ fields: [Field], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [[ArrowArray]] {
    try load(derivedKeys(among: fields), using: &context)
    let rows = rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound
    let known = fields.map { field in KeyColumn(field.name).flatMap { keys[$0] }.map { [$0.slice(range)] } }
    let read = try origin.parts(
      zip(fields, known).map { field, known in known == nil ? field.name : nil }, rows: rows, using: &context)
    var parts: [[ArrowArray]] = []
    for (index, field) in fields.enumerated() {
      do throws(DeltaError) {
        parts.append(
          try (known[index] ?? read[index])?.map { part throws(DeltaError) in try part.readable(as: field) }
            ?? [ArrowArray(nulls: field.type, count: range.count)])
      } catch { throw StoreError(error, at: origin.place) }
    }
    return parts
  }

  /// Those that this origin does not store.
  private func derivedKeys(among fields: [Field]) -> [KeyColumn] {
    guard case .file(let file, _, _, let derived) = origin else { return [] }
    return DerivedColumns.names.compactMap { name in
      guard derived[name] != nil, fields.contains(where: { $0.name == name }), let key = KeyColumn(name) else {
        return nil
      }
      let stored = file.keyColumns[key.rawValue].map { file.file.schema.columns[$0].field }
      return stored?.isNullable ?? true ? key : nil
    }
  }

  /// Columns `fields` of places `range`, those that are not there null.
  mutating func columns(
    _ fields: [Field], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    var columns: [ArrowArray] = []
    for (field, parts) in zip(fields, try parts(fields, at: range, using: &context)) {
      let column = ArrowArray.concatenate(parts.alike())
      columns.append(column.type == field.type ? column : column.decoded())
    }
    return RecordBatch(Schema(fields), columns, rowCount: range.count)
  }

  /// What decides between rows of one event, revision and time of arrival; one of each of `rows`.
  ///
  /// - Parameter fields: the columns of the dataset's table; a live row has its own.
  mutating func contentHashes(
    _ fields: [Field], using context: inout DecodingContext
  ) throws(StoreError) -> [UInt64] {
    guard case .live(let live) = origin else {
      return try columns(fields, at: 0..<rows.count, using: &context).contentHashes()
    }
    let own = live.schema.fields.map { Field($0.name, $0.type.valueType) }
    return try columns(own, at: 0..<rows.count, using: &context).contentHashes()
  }
}

extension RowOrigin {
  /// Some rows of columns, in parts as `UserRows.parts` gives them; nil for those without a name and those that are not
  /// there.
  fileprivate func parts(
    _ names: [String?], rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [[ArrowArray]?] {
    switch self {
    case .live(let source): return names.map { $0.flatMap { source.column($0, rows) }.map { [$0] } }
    case .file(let file, let group, let path, _):
      let columns = names.map { $0.flatMap { file.columnIndices[$0] } }
      do {
        var read = try file.parts(columns.compactMap(\.self), group: group, rows: rows, using: &context).makeIterator()
        return columns.map { $0 == nil ? nil : read.next() }
      } catch { throw StoreError(error, at: path) }
    }
  }
}

extension ArrowArray {
  /// The values as a reader gets them: of the field's type, or of a dictionary of that type.
  fileprivate func readable(as field: Field) throws(DeltaError) -> ArrowArray {
    if type == field.type { return self }
    if case .dictionary(_, let value, _) = type, value == field.type { return self }
    return try conformed(to: field.type, column: field.name)
  }
}

extension [ArrowArray] {
  /// The same arrays, all of one type: without dictionaries where not all have one.
  func alike() -> [ArrowArray] { allSatisfy { $0.type == self[0].type } ? self : map { $0.decoded() } }
}

extension StoreFile {
  /// The user's rows, per row group that has some.
  func rows(
    of user: UserProbe, dataset: Int, deriving derived: DerivedColumns, using context: inout DecodingContext
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
