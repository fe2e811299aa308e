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
  let meter: ReadMeter?

  init(verifiesChecksums: Bool, cache: PageCache? = nil, meter: ReadMeter? = nil) {
    var options = ReadOptions()
    options.verifiesChecksums = verifiesChecksums
    options.dictionaryColumns = [SystemColumns.eventType]
    self.options = options
    self.cache = cache
    self.meter = meter
  }
}

/// Where rows of one dataset lie.
enum RowOrigin {
  /// A row group of a data file, and the system columns that it need not have.
  case file(OpenedFile, group: Int, path: String, DerivedColumns)
  case live(LiveRows.Source)
  /// What earlier reads kept of a dataset's files.
  case kept(KeptRows)

  /// What an error names.
  var place: String {
    switch self {
    case .file(_, _, let path, _): path
    case .kept(let rows): "what is kept of the files of dataset '\(rows.dataset)'"
    case .live(let rows): "the live log's rows of dataset '\(rows.dataset)'"
    }
  }
}

/// Columns of some rows.
struct ReadColumns: Sendable {
  private(set) var slots = ColumnSlots()
  /// By key column: the values of those that are sound and of fixed width.
  private(set) var values = [Buffer?](repeating: nil, count: KeyColumn.count)
  var types: CodedTypes?

  func contains(_ slot: Int) -> Bool { slots.contains(slot) }

  subscript(slot: Int) -> ArrowArray? { slots[slot] }

  mutating func note(_ column: ArrowArray, in slot: Int) {
    slots[slot] = column
    guard let key = KeyColumn(rawValue: slot), column.type == key.type, column.nullCount == 0 else { return }
    if case .fixed(let fixed) = column.storage { values[slot] = fixed }
  }

  /// Moves all of it into one piece of memory, to be kept.
  /// - Returns: how many bytes it takes; names of event types are shared.
  mutating func pack() -> Int {
    let byteCount = slots.pack()
    for slot in values.indices where values[slot] != nil { values[slot] = slots[slot]?.values }
    if let names = types?.names, let column = slots[KeyColumn.eventType.rawValue] {
      types = CodedTypes(names, codes: column.values)
    }
    return byteCount + values.count * MemoryLayout<Buffer?>.stride + 128
  }
}

/// Consecutive rows of one origin, among them the user's, with the columns that were read of them.
struct UserRows {
  /// What never changes, in one place: rows are copied much.
  private final class Location: Sendable {
    let origin: RowOrigin
    let rows: Range<Int>
    let selected: [Int32]?

    init(_ origin: RowOrigin, _ rows: Range<Int>, _ selected: [Int32]?) {
      (self.origin, self.rows, self.selected) = (origin, rows, selected)
    }
  }

  /// Its place among the plan's.
  let dataset: Int
  private let location: Location
  private var read = ReadColumns()

  /// - Parameters:
  ///   - rows: counted from the origin's first.
  ///   - selected: those of `rows` that are the user's, counted from its first; nil: all.
  init(dataset: Int, origin: RowOrigin, rows: Range<Int>, selected: [Int32]? = nil) {
    self.dataset = dataset
    location = Location(origin, rows, selected)
  }

  /// All rows of the live log.
  init(_ live: LiveRows.Source, dataset: Int) {
    self.init(dataset: dataset, origin: .live(live), rows: 0..<live.rows.count)
  }

  /// All rows that were kept.
  init(_ kept: KeptRows, dataset: Int) {
    self.init(dataset: dataset, origin: .kept(kept), rows: 0..<kept.count)
    read = kept.columns
  }

  /// Some of its rows as rows of their own, of which nothing was read.
  ///
  /// - Precondition: they are rows of a file, all of them the user's.
  func part(_ range: Range<Int>) -> UserRows {
    let first = location.rows.lowerBound
    return UserRows(
      dataset: dataset, origin: location.origin, rows: first + range.lowerBound..<first + range.upperBound)
  }

  var origin: RowOrigin { location.origin }
  /// Counted from the origin's first.
  var rows: Range<Int> { location.rows }
  /// Those of `rows` that are the user's, counted from its first; nil: all.
  var selected: [Int32]? { location.selected }

  var isLive: Bool { if case .live = location.origin { true } else { false } }

  /// Whether none of its rows can be of the same event as another one.
  var isWithoutRepeats: Bool { if case .kept(let rows) = location.origin { !rows.hasRepeats } else { false } }

  var count: Int { location.selected?.count ?? location.rows.count }

  /// Has the system fetch what is about to be read of the last `count` rows of a file, as far as it is in no memory.
  func announce(
    _ keys: [KeyColumn], _ others: [WantedColumn], last count: Int, using context: borrowing DecodingContext
  ) throws(StoreError) {
    guard case .file(let file, let group, let path, let derived) = origin else { return }
    var columns: [Int] = []
    for key in keys {
      let column = file.keyColumns[key.rawValue] ?? derived[key.name].flatMap { file.columnIndices[$0] }
      if let column, !columns.contains(column) { columns.append(column) }
    }
    for column in others {
      if let column = file.columnIndices[column.field.name], !columns.contains(column) { columns.append(column) }
    }
    do {
      try file.announce(columns, group: group, rows: rows.suffix(count), using: context)
    } catch { throw StoreError(error, at: path) }
  }

  // MARK: Key columns

  /// Reads columns, those that were not read yet, or derives them. Columns that are not there stay absent.
  mutating func load(_ wanted: [KeyColumn], using context: inout DecodingContext) throws(StoreError) {
    let missing = wanted.filter { !read.contains($0.rawValue) }
    guard !missing.isEmpty else { return }
    switch origin {
    case .live(let source):
      for key in missing {
        let column = source.column(key.name, rows, keepsDictionaries: key == .eventType)
        if let column { read.note(column, in: key.rawValue) }
      }
    case .kept: break
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
      read.note(column, in: key.rawValue)
    }
    for key in missing where !read.contains(key.rawValue) {
      guard let name = derived[key.name], let source = file.columnIndices[name] else { continue }
      if key == .eventKey, !stored.contains(key) {
        let keys = try file.eventKeys(ofColumn: source, group: group, rows: rows, using: &context)
        if let keys { read.note(keys, in: key.rawValue) }
      } else {
        let values = try file.read([source], group: group, rows: rows, using: &context)[0]
        let known = stored.firstIndex(of: key).map { found[$0] }
        let column = DerivedColumns.column(key.name, known, from: values)
        if let column { read.note(column, in: key.rawValue) }
      }
    }
  }

  /// A column that was loaded, which all events have.
  func key(_ key: KeyColumn) throws(StoreError) -> ArrowArray {
    guard let column = read[key.rawValue], column.type.valueType == key.type, column.nullCount == 0 else {
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
    return made
  }

  // MARK: Any columns

  /// Appends columns of places `range` to `parts`, those that are not there as nulls; each as the pages hold it, with or
  /// without a dictionary.
  mutating func append(
    _ wanted: [WantedColumn], at range: Range<Int>, to parts: inout [ColumnParts], using context: inout DecodingContext
  ) throws(StoreError) {
    let slots = wanted.map(slot)
    try load(wanted.compactMap(\.key), using: &context)
    let unread = try unread(wanted, slots, at: range, using: &context)
    for (index, column) in wanted.enumerated() {
      parts[index].beginSource()
      do throws(DeltaError) {
        if let known = slots[index].flatMap({ read[$0] }) {
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
    case .kept(let rows): rows.slot(of: column)
    }
  }

  /// Those of the columns that were not read yet, of places `range`; nil for those that are not there, and for nothing.
  private func unread(
    _ wanted: [WantedColumn], _ slots: [Int?], at range: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [[ArrowArray]?]? {
    if slots.allSatisfy({ $0.map { read.contains($0) } ?? true }) { return nil }
    let missing = slots.map { slot in slot.flatMap { $0 < KeyColumn.count || read.contains($0) ? nil : $0 } }
    let rows = rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound
    switch origin {
    case .live(let source):
      return zip(wanted, missing).map { column, slot in
        slot == nil ? nil : source.column(column.field.name, rows).map { [$0] }
      }
    case .kept: throw .damaged(path: origin.place, what: "not all of the answer's columns are there")
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

  /// What decides between rows of one event, revision and time of arrival, of the rows at some places.
  ///
  /// - Parameter fields: the columns of the dataset's table; a live row has its own.
  mutating func contentHashes(
    _ fields: [Field], at places: [Int], using context: inout DecodingContext
  ) throws(StoreError) -> [UInt64] {
    guard case .live(let live) = origin else {
      // They lie in few pages, of which all rows are decoded anyway.
      guard let first = places.min(), let last = places.max() else { return [] }
      let hashes = try columns(fields, at: first..<last + 1, using: &context).contentHashes()
      return places.map { hashes[$0 - first] }
    }
    var picked = UserRows(live.rows(at: places), dataset: dataset)
    let own = live.schema.fields.map { Field($0.name, $0.type.valueType) }
    return try picked.columns(own, at: 0..<places.count, using: &context).contentHashes()
  }
}

extension ArrowArray {
  /// The values as a reader gets them: of the field's type, or of a dictionary of that type.
  fileprivate func readable(as field: Field) throws(DeltaError) -> ArrowArray {
    if type == field.type { return self }
    if case .dictionary(_, let value, _) = type, value == field.type { return self }
    if let renamed = renamed(as: field.type) { return renamed }
    return try conformed(to: field.type, column: field.name)
  }
}
