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

/// What was read of a user's rows in a row group of a file, in memory of its own; the file itself may be closed.
struct KeptRows: Sendable {
  /// Counted from the row group's first.
  fileprivate let rows: Range<Int>
  fileprivate var columns = ColumnSlots()
  /// By key column: the values of those that are sound and of fixed width.
  fileprivate var values = [Buffer?](repeating: nil, count: KeyColumn.count)
  fileprivate var types: CodedTypes?

  fileprivate init(rows: Range<Int>) { self.rows = rows }

  fileprivate var byteCount: Int { columns.byteCount + (types?.codes.byteCount ?? 0) + 512 }
}

/// Consecutive rows of one origin, among them the user's, with the columns that were read of them.
struct UserRows {
  /// What never changes, in one place: rows are copied much.
  private final class Location: Sendable {
    let origin: RowOrigin
    let selected: [Int32]?
    /// Where they are kept for later reads, with all that was read of them, in memory of their own; nil: nowhere.
    let key: PageCache.RowsKey?

    init(_ origin: RowOrigin, _ selected: [Int32]?, _ key: PageCache.RowsKey?) {
      (self.origin, self.selected, self.key) = (origin, selected, key)
    }
  }

  /// Its place among the plan's.
  let dataset: Int
  private let location: Location
  private var read: KeptRows
  /// Whether columns were read since they were kept.
  private var isChanged = false

  /// - Parameters:
  ///   - rows: counted from the origin's first.
  ///   - selected: those of `rows` that are the user's, counted from its first; nil: all.
  ///   - key: for rows of a file that may be kept.
  init(dataset: Int, origin: RowOrigin, rows: Range<Int>, selected: [Int32]?, keptAs key: PageCache.RowsKey? = nil) {
    self.dataset = dataset
    location = Location(origin, selected, selected == nil && rows.count <= Self.maximumKeptCount ? key : nil)
    read = KeptRows(rows: rows)
  }

  /// Rows that were kept.
  init(dataset: Int, origin: RowOrigin, _ kept: KeptRows, keptAs key: PageCache.RowsKey) {
    self.dataset = dataset
    location = Location(origin, nil, key)
    read = kept
  }

  /// All rows of the live log.
  init(_ live: LiveRows.Source, dataset: Int) {
    self.init(dataset: dataset, origin: .live(live), rows: 0..<live.rows.count, selected: nil)
  }

  /// More rows of a user than this are read from pages each time.
  private static let maximumKeptCount = 1_024

  var origin: RowOrigin { location.origin }
  /// Counted from the origin's first.
  var rows: Range<Int> { read.rows }
  /// Those of `rows` that are the user's, counted from its first; nil: all.
  var selected: [Int32]? { location.selected }

  var isLive: Bool { if case .live = location.origin { true } else { false } }

  var count: Int { location.selected?.count ?? read.rows.count }

  /// Keeps what was read.
  mutating func keep(in cache: PageCache) {
    guard isChanged, let key = location.key else { return }
    isChanged = false
    cache.keep(read, byteCount: read.byteCount, for: key)
  }

  private mutating func note(_ column: ArrowArray?, in slot: Int) {
    guard let column else { return }
    let own = location.key == nil ? column : column.copied()
    read.columns[slot] = own
    isChanged = true
    guard let key = KeyColumn(rawValue: slot), own.type == key.type, own.nullCount == 0 else { return }
    if case .fixed(let values) = own.storage { read.values[slot] = values }
  }

  // MARK: Key columns

  /// Reads columns, those that were not read yet, or derives them. Columns that are not there stay absent.
  mutating func load(_ wanted: [KeyColumn], using context: inout DecodingContext) throws(StoreError) {
    let missing = wanted.filter { !read.columns.contains($0.rawValue) }
    guard !missing.isEmpty else { return }
    switch origin {
    case .live(let source):
      for key in missing { note(source.column(key.name, rows), in: key.rawValue) }
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
    let found = try file.read(stored.map { file.keyColumns[$0.rawValue]! }, group: group, rows: rows, using: &context)
    for (key, column) in zip(stored, found) where column.nullCount == 0 || derived[key.name] == nil {
      note(column, in: key.rawValue)
    }
    for key in missing where !read.columns.contains(key.rawValue) {
      guard let name = derived[key.name], let source = file.columnIndices[name] else { continue }
      if key == .eventKey, !stored.contains(key) {
        note(try file.eventKeys(ofColumn: source, group: group, rows: rows, using: &context), in: key.rawValue)
      } else {
        let values = try file.read([source], group: group, rows: rows, using: &context)[0]
        let known = stored.firstIndex(of: key).map { found[$0] }
        note(DerivedColumns.column(key.name, known, from: values), in: key.rawValue)
      }
    }
  }

  /// A column that was loaded, which all events have.
  func key(_ key: KeyColumn) throws(StoreError) -> ArrowArray {
    guard let column = read.columns[key], column.type.valueType == key.type, column.nullCount == 0 else {
      throw .damaged(path: origin.place, what: "system column '\(key.name)' is missing, of another type, or null")
    }
    return column
  }

  /// The values of a fixed-width column that was loaded, which all events have.
  func values(_ key: KeyColumn) throws(StoreError) -> Buffer {
    if let known = read.values[key.rawValue] { return known }
    return try self.key(key).values
  }

  /// The event types, which were loaded.
  mutating func codedTypes() throws(StoreError) -> CodedTypes {
    if let types = read.types { return types }
    let made = CodedTypes(try key(.eventType))
    read.types = made
    isChanged = true
    return made
  }

  /// How two rows stand to each other by their event types and keys, as far as these were loaded.
  static func order(_ left: UserRows, _ leftPlace: Int, _ right: UserRows, _ rightPlace: Int) -> Int {
    for key in [KeyColumn.eventType, .eventKey] {
      guard let column = left.read.columns[key], let other = right.read.columns[key] else { continue }
      let order = column.compare(leftPlace, other, rightPlace)
      if order != 0 { return order }
    }
    return 0
  }

  // MARK: Any columns

  /// Appends columns of places `range` to `parts`, those that are not there as nulls; each as the pages hold it, with or
  /// without a dictionary.
  mutating func append(
    _ wanted: [WantedColumn], at range: Range<Int>, to parts: inout [ColumnParts], using context: inout DecodingContext
  ) throws(StoreError) {
    let slots = wanted.map(slot)
    try loadWhole(wanted, slots, using: &context)
    let unread = try unread(wanted, slots, at: range, using: &context)
    for (index, column) in wanted.enumerated() {
      parts[index].beginSource()
      do throws(DeltaError) {
        if let known = slots[index].flatMap({ read.columns[$0] }) {
          parts[index].append(try known.slice(range).readable(as: column.field))
        } else if let found = unread?[index] {
          for part in found { parts[index].append(try part.readable(as: column.field)) }
        } else {
          parts[index].append(ArrowArray(nulls: column.field.type, count: range.count))
        }
      } catch { throw StoreError(error, at: origin.place) }
    }
  }

  /// Where a column is noted; nil for one that is not there.
  private func slot(of column: WantedColumn) -> Int? {
    if let key = column.key { return key.rawValue }
    return switch origin {
    case .file(let file, _, _, _): file.columnIndices[column.field.name].map { $0 + KeyColumn.count }
    case .live(let source): source.schema.index(of: column.field.name).map { $0 + KeyColumn.count }
    }
  }

  /// Reads those of the columns that were not read yet, of all rows: key columns, and those to be kept.
  private mutating func loadWhole(
    _ wanted: [WantedColumn], _ slots: [Int?], using context: inout DecodingContext
  ) throws(StoreError) {
    if slots.allSatisfy({ $0.map { read.columns.contains($0) } ?? true }) { return }
    try load(wanted.compactMap(\.key), using: &context)
    guard location.key != nil, case .file(let file, let group, let path, _) = origin else { return }
    for (column, slot) in zip(wanted, slots) {
      guard let slot, slot >= KeyColumn.count, !read.columns.contains(slot) else { continue }
      do {
        let values = try file.read([slot - KeyColumn.count], group: group, rows: rows, using: &context)[0]
        do throws(DeltaError) {
          note(try values.readable(as: column.field), in: slot)
        } catch { throw StoreError.delta(error) }
      } catch { throw StoreError(error, at: path) }
    }
  }

  /// Those of the columns that were not read yet, of places `range`; nil for those that are not there, and for nothing.
  private func unread(
    _ wanted: [WantedColumn], _ slots: [Int?], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [[ArrowArray]?]? {
    if slots.allSatisfy({ $0.map { read.columns.contains($0) } ?? true }) { return nil }
    let missing = slots.map { slot in slot.flatMap { $0 < KeyColumn.count || read.columns.contains($0) ? nil : $0 } }
    let rows = rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound
    switch origin {
    case .live(let source):
      return zip(wanted, missing).map { column, slot in
        slot == nil ? nil : source.column(column.field.name, rows).map { [$0] }
      }
    case .file(let file, let group, let path, _):
      do {
        let indices = missing.compactMap { $0.map { $0 - KeyColumn.count } }
        var found = try file.parts(indices, group: group, rows: rows, using: &context).makeIterator()
        return missing.map { $0 == nil ? nil : found.next() }
      } catch { throw StoreError(error, at: path) }
    }
  }

  /// Columns `fields` of places `range`, those that are not there null.
  mutating func columns(
    _ fields: [Field], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    var parts = [ColumnParts](repeating: ColumnParts(), count: fields.count)
    try append(fields.map { WantedColumn($0) }, at: range, to: &parts, using: &context)
    var columns: [ArrowArray] = []
    for index in fields.indices {
      let column = parts[index].takeSource()
      columns.append(column.type == fields[index].type ? column : column.decoded())
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

extension ArrowArray {
  /// The values as a reader gets them: of the field's type, or of a dictionary of that type.
  fileprivate func readable(as field: Field) throws(DeltaError) -> ArrowArray {
    if type == field.type { return self }
    if case .dictionary(_, let value, _) = type, value == field.type { return self }
    return try conformed(to: field.type, column: field.name)
  }
}

extension StoreFile {
  /// The user's rows, per row group that has some.
  func rows(
    of user: UserProbe, dataset: Int, deriving derived: DerivedColumns, using context: inout DecodingContext
  ) throws(StoreError) -> [UserRows] {
    let opened = try open()
    var found: [UserRows] = []
    for (index, group) in opened.groups.enumerated() where group.mayHold(user) {
      let key = context.cache.map { _ in PageCache.RowsKey(file: opened.id, group: Int32(index), user: user.key) }
      let origin = RowOrigin.file(opened, group: index, path: path, derived)
      if let key, let known = context.cache?[key] {
        found.append(UserRows(dataset: dataset, origin: origin, known, keptAs: key))
        continue
      }
      do {
        let pages = try group.index()
        guard pages.mayContain(user) else { continue }
        let candidates = pages.candidateRows(user)
        guard !candidates.isEmpty else { continue }
        let (rows, selected) =
          group.isSorted && candidates.count == 1
          ? (try opened.sortedRows(of: user, index, candidates[0], using: &context), nil)
          : try opened.scatteredRows(of: user, index, candidates, using: &context)
        guard !rows.isEmpty else { continue }
        found.append(
          UserRows(dataset: dataset, origin: origin, rows: rows, selected: selected, keptAs: key))
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
