import Buffers
import Definitions
import Parquet
import Synchronization

/// A row group of an open file.
final class OpenedRowGroup: Sendable {
  let number: Int
  let rowCount: Int
  /// Whether its rows are in the order (user_id, ts, event_type, event_key), of which a file may lack the last column.
  let isSorted: Bool
  /// Of its users, as the footer has them; nil where it has none.
  private let userBounds: (least: Buffer, greatest: Buffer)?
  private let bytes: DataFileBytes
  private let file: ParquetFile
  private let indexes: SlotCache
  private let slot = CacheSlot<RowGroupIndex>()
  /// Apart from the other indexes: where it says that a user has no rows, they are not needed.
  private let filterSlot = CacheSlot<UserFilter>()

  init(_ bytes: DataFileBytes, _ file: ParquetFile, _ number: Int, _ indexes: SlotCache) {
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

  deinit {
    indexes.forget(slot)
    indexes.forget(filterSlot)
  }

  /// Whether the user may have rows here, by the bounds of those who have, and the bloom filter.
  func mayHold(_ user: UserProbe) throws(StoreError) -> Bool {
    guard isInBounds(user) else { return false }
    return try userFilter().mayContain(user.hash)
  }

  private func isInBounds(_ user: UserProbe) -> Bool {
    guard let userBounds else { return true }
    return user.order(ofBound: userBounds.least) <= 0 && user.order(ofBound: userBounds.greatest) >= 0
  }

  /// The bloom filter of its users, read by the first who asks.
  func userFilter() throws(StoreError) -> UserFilter {
    if let filter = filterSlot.value { return filter }
    do {
      let filter = try UserFilter(bytes, file, number)
      return indexes.keep(filter, size: filter.byteCount, in: filterSlot)
    } catch {
      throw StoreError(error, at: bytes.path)
    }
  }

  /// Its indexes, read by the first who asks.
  func index() throws(StoreError) -> RowGroupIndex {
    if let index = slot.value { return index }
    do {
      let index = try RowGroupIndex(bytes, file, number, isSorted: isSorted)
      return indexes.keep(index, size: index.byteCount, in: slot)
    } catch {
      throw StoreError(error, at: bytes.path)
    }
  }

  /// Remembers dictionaries for later reads.
  func keep(_ found: [Int: LeafDictionary], beside known: [Int: LeafDictionary], in index: RowGroupIndex) {
    guard found.keys.contains(where: { known[$0] == nil }) else { return }
    indexes.note(index.keep(found), in: slot)
  }
}

/// The bloom filter of a row group's users, if it has one.
struct UserFilter: Sendable {
  private let filter: SplitBlockBloomFilter?

  fileprivate init(_ bytes: DataFileBytes, _ file: ParquetFile, _ group: Int) throws {
    filter = try file.schema.leafIndex(of: SystemColumns.user).flatMap {
      try file.bloomFilter(bytes, rowGroup: group, leaf: $0)
    }
  }

  /// In memory, about.
  fileprivate var byteCount: Int { (filter?.byteCount ?? 0) + 256 }

  /// - Parameter userHash: XXH64 of the user's key.
  func mayContain(_ userHash: UInt64) -> Bool { filter?.mayContain(userHash) ?? true }
}

/// Where the rows and pages of a row group lie, and what pages were decoded with.
final class RowGroupIndex: Sendable {
  private let rowCount: Int
  private let isSorted: Bool
  /// Bounds are those of the user column alone.
  let pages: RowGroupPageIndex
  /// The user column among the leaves; nil when there is none.
  private let userLeaf: Int?
  private let keptDictionaries = Mutex<[Int: LeafDictionary]>([:])

  init(_ bytes: DataFileBytes, _ file: ParquetFile, _ group: Int, isSorted: Bool) throws {
    rowCount = file.metadata.rowGroups[group].rowCount
    self.isSorted = isSorted
    userLeaf = file.schema.leafIndex(of: SystemColumns.user)
    pages = try file.pageIndex(bytes, rowGroup: group, boundsOf: userLeaf.map { [$0] } ?? [])
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
