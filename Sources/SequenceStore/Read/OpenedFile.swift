import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet
import Synchronization

/// A data file's footer over its mapped bytes. Immutable but for caches.
final class OpenedFile: Sendable {
  let bytes: Buffer
  let file: ParquetFile
  let groups: [OpenedRowGroup]
  /// The columns of the table by name.
  let columnIndices: [String: Int]
  /// Where each `KeyColumn` is among them; nil for one that is not stored.
  let keyColumns: [Int?]
  /// Tells files apart, in caches.
  let id: UInt32
  private let projections = Mutex<[ProjectionKey: ReadProjection]>([:])

  private struct ProjectionKey: Hashable {
    var columns: [Int]
    var verifiesChecksums: Bool
  }

  /// - Parameter id: under which its pages are cached.
  init(_ bytes: Buffer, id: UInt32, indexes: FileIndexCache) throws {
    self.bytes = bytes
    self.id = id
    let file = try ParquetFile(bytes)
    self.file = file
    groups = (0..<file.rowGroupCount).map { OpenedRowGroup(bytes, file, $0, indexes) }
    let names = file.schema.columns.enumerated().map { ($1.field.name, $0) }
    let columnIndices = Dictionary(names) { first, _ in first }
    self.columnIndices = columnIndices
    keyColumns = KeyColumn.allCases.map { columnIndices[$0.name] }
  }

  /// Of the footer in memory, about.
  var byteCount: Int { file.memoryByteCount + groups.count * 256 }

  // MARK: Rows

  /// Some rows of some columns of the table, by their indices in the file's schema.
  func read(
    _ columns: [Int], group: Int, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [ArrowArray] {
    var arrays: [ArrowArray] = []
    for parts in try parts(columns, group: group, rows: rows, using: &context) {
      arrays.append(parts.count == 1 ? parts[0] : .concatenate(parts.alike()))
    }
    return arrays
  }

  /// The same, each column in the parts that pages hold of it: with a cache nothing is copied.
  func parts(
    _ columns: [Int], group: Int, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> [[ArrowArray]] {
    if columns.isEmpty { return [] }
    guard let cache = context.cache, !rows.isEmpty else {
      return try decode(columns, group: group, rows: rows, using: &context).columns.map { [$0] }
    }
    var parts: [[ArrowArray]] = []
    for column in columns {
      parts.append(try pages(of: column, group: group, rows: rows, cache, using: &context))
    }
    return parts
  }

  /// The keys that follow from the events' ids in a column; nil where it holds no texts.
  func eventKeys(
    ofColumn column: Int, group: Int, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> ArrowArray? {
    guard file.schema.columns[column].field.type == .utf8 else { return nil }
    guard let cache = context.cache, !rows.isEmpty else {
      return EventKeys.keys(of: try read([column], group: group, rows: rows, using: &context)[0])
    }
    return .concatenate(
      try pages(of: column, group: group, rows: rows, cache, asEventKeys: true, using: &context))
  }

  /// Rows of a column in parts: slices of pages that are in the cache, or are decoded for it.
  ///
  /// - Parameter asEventKeys: whether the keys that follow from the column are wanted, and kept, instead of it.
  private func pages(
    of column: Int, group: Int, rows: Range<Int>, _ cache: PageCache, asEventKeys: Bool = false,
    using context: inout DecodingContext
  ) throws(StoreError) -> [ArrowArray] {
    let leaf = file.schema.columns[column].leaves.lowerBound
    guard let index = try groups[group].index().pages.offsetIndexes[leaf] else {
      let values = try decode([column], group: group, rows: rows, using: &context).columns[0]
      return [asEventKeys ? EventKeys.keys(of: values) : values]
    }
    var parts: [ArrowArray] = []
    for number in index.page(ofRow: rows.lowerBound)...index.page(ofRow: rows.upperBound - 1) {
      let first = index.pages[number].firstRow
      let end = number + 1 < index.pages.count ? index.pages[number + 1].firstRow : groups[group].rowCount
      let key = PageCache.Key(
        file: id, group: Int32(group), column: Int32(asEventKeys ? ~column : column), page: Int32(number))
      let page: ArrowArray
      if let known = cache[key] {
        page = known
      } else {
        let values = try decode([column], group: group, rows: first..<end, using: &context).columns[0]
        page = cache.keep(asEventKeys ? EventKeys.keys(of: values) : values, for: key)
      }
      parts.append(page.slice(max(rows.lowerBound, first) - first..<min(rows.upperBound, end) - first))
    }
    return parts
  }

  private func decode(
    _ columns: [Int], group: Int, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let projection = projection(columns, context.options)
    let group = groups[group]
    let index = try group.index()
    do throws(ParquetError) {
      let known = index.dictionaries
      let plan = try projection.plan(rowGroup: group.number, rows: rows, pages: index.pages, dictionaries: known)
      let ranges = plan.ranges.map { bytes.slice($0) }
      context.meter?.add(ranges.reduce(0) { $0 + $1.byteCount })
      let reader = try RowGroupDecoder(plan, bytes: ranges, dictionaries: known)
      guard let batch = try reader.next(.max, &context.decoder) else { return RecordBatch(empty: projection.schema) }
      group.keep(reader.dictionaries, beside: known, in: index)
      return batch
    } catch {
      throw .parquet(error)
    }
  }

  private func projection(_ columns: [Int], _ options: ReadOptions) -> ReadProjection {
    let key = ProjectionKey(columns: columns, verifiesChecksums: options.verifiesChecksums)
    if let known = projections.withLock({ $0[key] }) { return known }
    let made = ReadProjection(file, columns: columns, options: options)
    projections.withLock { $0[key] = made }
    return made
  }
}

extension RecordBatch {
  /// No rows.
  init(empty schema: Schema) {
    self.init(schema, schema.fields.map { ArrowArray(nulls: $0.type, count: 0) }, rowCount: 0)
  }
}

/// A row group of an open file.
final class OpenedRowGroup: Sendable {
  let number: Int
  let rowCount: Int
  /// Whether its rows are in the order (user_id, ts, event_type, event_key), of which a file may lack the last column.
  let isSorted: Bool
  /// Of its users, as the footer has them; nil where it has none.
  private let userBounds: (least: Buffer, greatest: Buffer)?
  private let bytes: Buffer
  private let file: ParquetFile
  private let indexes: FileIndexCache
  private let slot = IndexSlot<RowGroupIndex>()

  init(_ bytes: Buffer, _ file: ParquetFile, _ number: Int, _ indexes: FileIndexCache) {
    (self.bytes, self.file, self.number, self.indexes) = (bytes, file, number, indexes)
    let metadata = file.metadata.rowGroups[number]
    rowCount = metadata.rowCount
    let keys = [SystemColumns.user, SystemColumns.ts, SystemColumns.eventType, SystemColumns.eventKey]
      .filter { $0 != SystemColumns.eventKey || file.schema.columnIndex(of: $0) != nil }
    let sorting = metadata.sortingColumns.filter { !$0.isDescending }.map { file.schema.leaves[safe: $0.column]?.name }
    isSorted = Array(sorting.prefix(keys.count)) == keys
    let user = file.schema.leafIndex(of: SystemColumns.user).map { metadata.columns[$0].metadata?.statistics }
    if let statistics = user ?? nil, let least = statistics.minValue, let greatest = statistics.maxValue {
      userBounds = (least, greatest)
    } else {
      userBounds = nil
    }
  }

  deinit { indexes.forget(slot) }

  /// Whether the user lies within the bounds of those that it has.
  func mayHold(_ user: UserProbe) -> Bool {
    guard let userBounds else { return true }
    return user.order(ofBound: userBounds.least) <= 0 && user.order(ofBound: userBounds.greatest) >= 0
  }

  /// Its indexes, read by the first who asks.
  func index() throws(StoreError) -> RowGroupIndex {
    if let index = slot.value { return index }
    do {
      let index = try RowGroupIndex(bytes, file, number, isSorted: isSorted)
      return indexes.keep(index, byteCount: index.byteCount, in: slot)
    } catch let error as ParquetError {
      throw .parquet(error)
    } catch {
      throw .damaged(path: "", what: "\(error)")
    }
  }

  /// Remembers dictionaries for later reads.
  func keep(_ found: [Int: LeafDictionary], beside known: [Int: LeafDictionary], in index: RowGroupIndex) {
    guard found.keys.contains(where: { known[$0] == nil }) else { return }
    indexes.note(index.keep(found), in: slot)
  }
}

/// Where the rows and pages of a row group lie, and what pages were decoded with.
final class RowGroupIndex: Sendable {
  private let rowCount: Int
  private let isSorted: Bool
  /// Bounds are those of the user column alone.
  let pages: RowGroupPageIndex
  private let bloomFilter: SplitBlockBloomFilter?
  /// The user column among the leaves; nil when there is none.
  private let userLeaf: Int?
  private let keptDictionaries = Mutex<[Int: LeafDictionary]>([:])

  init(_ bytes: Buffer, _ file: ParquetFile, _ group: Int, isSorted: Bool) throws {
    rowCount = file.metadata.rowGroups[group].rowCount
    self.isSorted = isSorted
    userLeaf = file.schema.leafIndex(of: SystemColumns.user)
    pages = try file.pageIndex(bytes, rowGroup: group, boundsOf: userLeaf.map { [$0] } ?? [])
    bloomFilter = try userLeaf.flatMap { try file.bloomFilter(bytes, rowGroup: group, leaf: $0) }
  }

  /// In memory, about, without dictionaries.
  var byteCount: Int { pages.memoryByteCount + 256 }

  /// By leaf.
  var dictionaries: [Int: LeafDictionary] { keptDictionaries.withLock { $0 } }

  /// - Returns: how many bytes are kept besides.
  fileprivate func keep(_ found: [Int: LeafDictionary]) -> Int {
    keptDictionaries.withLock { kept in
      found.reduce(0) { sum, entry in
        guard kept.updateValue(kept[entry.key] ?? entry.value, forKey: entry.key) == nil else { return sum }
        return sum + entry.value.byteCount
      }
    }
  }

  /// Whether the user may have rows here, by the bloom filter.
  func mayContain(_ user: UserProbe) -> Bool { mayContain(userHash: user.hash) }

  /// - Parameter userHash: XXH64 of the user's key.
  func mayContain(userHash: UInt64) -> Bool { bloomFilter?.mayContain(userHash) ?? true }

  /// The rows of the pages whose bounds hold the user; all where there is no page index.
  func candidateRows(_ user: UserProbe) -> [Range<Int>] {
    guard let userLeaf, let bounds = pages.columnIndexes[userLeaf], let offsets = pages.offsetIndexes[userLeaf],
      bounds.pageCount == offsets.pages.count, bounds.pageCount > 0
    else { return [0..<rowCount] }
    if isSorted, bounds.boundaryOrder == .ascending {
      let first = Self.partition(bounds.pageCount) { user.order(ofBound: bounds.maxValues[$0]) < 0 }
      let end = Self.partition(bounds.pageCount) { user.order(ofBound: bounds.minValues[$0]) <= 0 }
      return first < end ? [offsets.pages[first].firstRow..<endRow(of: end - 1, offsets)] : []
    }
    var ranges: [Range<Int>] = []
    for page in 0..<bounds.pageCount
    where user.order(ofBound: bounds.minValues[page]) <= 0 && user.order(ofBound: bounds.maxValues[page]) >= 0 {
      ranges.append(offsets.pages[page].firstRow..<endRow(of: page, offsets))
    }
    return ranges
  }

  /// How many of the first pages `isBefore` holds for.
  private static func partition(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func endRow(of page: Int, _ offsets: OffsetIndex) -> Int {
    page + 1 < offsets.pages.count ? offsets.pages[page + 1].firstRow : rowCount
  }

  /// The rows of the user's first and last candidate page; what lies between them is the user's alone.
  func edgePages(of rows: Range<Int>) -> (first: Range<Int>, last: Range<Int>) {
    guard let userLeaf, pages.columnIndexes[userLeaf] != nil, let offsets = pages.offsetIndexes[userLeaf] else {
      return (rows, rows)
    }
    let (first, last) = (offsets.page(ofRow: rows.lowerBound), offsets.page(ofRow: rows.upperBound - 1))
    return (
      rows.lowerBound..<min(endRow(of: first, offsets), rows.upperBound),
      max(offsets.pages[last].firstRow, rows.lowerBound)..<rows.upperBound
    )
  }
}

extension Array {
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
