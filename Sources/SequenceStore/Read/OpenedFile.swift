import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet
import Synchronization

/// A data file's footer, and where its bytes come from. Immutable but for caches.
final class OpenedFile: Sendable {
  let bytes: DataFileBytes
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
  init(_ bytes: DataFileBytes, id: UInt32, indexes: SlotCache) throws {
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
        page = cache.keep(asEventKeys ? EventKeys.keys(of: values) : shared(values, of: column), for: key)
      }
      parts.append(page.slice(max(rows.lowerBound, first) - first..<min(rows.upperBound, end) - first))
    }
    return parts
  }

  /// The values as they are kept: event types with the names that files share, so that those of several are joined by their
  /// numbers.
  private func shared(_ values: ArrowArray, of column: Int) -> ArrowArray {
    guard column == keyColumns[KeyColumn.eventType.rawValue], values.type == .textDictionary, values.nullCount == 0
    else { return values }
    return CodedTypes(values).column
  }

  /// Has the system fetch, all at once, what it does not have in memory of the pages with some rows, which are about to be read:
  /// otherwise each page would be waited for before the next is asked for. Where the first column's page is in the cache, the
  /// others are taken to be, too.
  func announce(
    _ columns: [Int], group: Int, rows: Range<Int>, using context: borrowing DecodingContext
  ) throws(StoreError) {
    guard let first = columns.first, !rows.isEmpty else { return }
    let index = try groups[group].index()
    guard let pages = index.pages.offsetIndexes[file.schema.columns[first].leaves.lowerBound] else { return }
    let page = PageCache.Key(
      file: id, group: Int32(group), column: Int32(first), page: Int32(pages.page(ofRow: rows.upperBound - 1)))
    if let cache = context.cache, cache.contains(page) { return }
    do {
      let plan = try projection(columns, context.options).plan(
        rowGroup: group, rows: rows, pages: index.pages, dictionaries: index.dictionaries)
      bytes.willRead(plan.ranges[...])
    } catch { throw StoreError(error, at: bytes.path) }
  }

  private func decode(
    _ columns: [Int], group: Int, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let projection = projection(columns, context.options)
    let group = groups[group]
    let index = try group.index()
    do {
      let known = index.dictionaries
      let plan = try projection.plan(rowGroup: group.number, rows: rows, pages: index.pages, dictionaries: known)
      context.meter?.add(plan.ranges.reduce(0) { $0 + $1.count })
      let reader = try RowGroupDecoder(plan, bytes: try bytes.read(plan.ranges), dictionaries: known)
      guard let batch = try reader.next(.max, &context.decoder) else { return RecordBatch(empty: projection.schema) }
      group.keep(reader.dictionaries, beside: known, in: index)
      return batch
    } catch {
      throw StoreError(error, at: bytes.path)
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
