import Arrow
import Engine

/// Decoded pages of data files, and what was read of single users' rows, in a bounded amount of memory. Shared by threads.
///
/// Users who are asked for again are answered from the few rows that are theirs; pages serve those who are not. What is of
/// files that are gone leaves like all that nobody asks for.
package final class PageCache: Sendable {
  /// A page of a table's column in a row group of a file; `~column`: the events' keys that follow from it.
  struct Key: Hashable, CacheKey {
    /// As `OpenedFile` numbers itself.
    var file: UInt32
    var group: Int32
    var column: Int32
    var page: Int32

    var mixed: UInt {
      let place = UInt(truncatingIfNeeded: page) &* 7 &+ UInt(truncatingIfNeeded: column)
      return (UInt(file) &* 31 &+ UInt(truncatingIfNeeded: group)) &* 31 &+ place
    }
  }

  /// A user's rows in files of a dataset.
  struct RowsKey: Hashable, CacheKey {
    /// A dataset and columns, in any order: those who ask for others find others kept.
    struct Columns: Hashable {
      fileprivate let number: Int

      init(_ dataset: String, _ columns: [Field]) {
        number = columns.reduce(dataset.hashValue) { $0 ^ $1.hashValue }
      }
    }

    private let user: UserID
    private let columns: Columns

    init(_ columns: Columns, _ user: UserID) { (self.columns, self.user) = (columns, user) }

    var mixed: UInt {
      let part =
        switch user {
        case .integer(let key): UInt(truncatingIfNeeded: key)
        case .text(let key): UInt(bitPattern: key.hashValue)
        }
      return UInt(bitPattern: columns.number) &+ part
    }
  }

  private enum Slot: Hashable, CacheKey {
    case page(Key)
    case rows(RowsKey)

    var mixed: UInt {
      switch self {
      case .page(let key): key.mixed
      case .rows(let key): key.mixed
      }
    }
  }

  private enum Content: Sendable {
    case page(ArrowArray)
    case rows(KeptRows)
  }

  /// Pages and rows make room for each other, and for the lists of both: what is asked for more stays.
  private let contents: ClockCache<Slot, Content>
  private let lists: ListPool

  /// - Parameter byteLimit: of the pages' and rows' arrays.
  package init(byteLimit: Int) {
    contents = ClockCache(byteLimit: byteLimit)
    // Lists may take most of it: pages and rows that have no more than their numbers are small.
    lists = ListPool(regionByteLimit: byteLimit / 8 * 7)
  }

  subscript(key: Key) -> ArrowArray? {
    if case .page(let page)? = contents[.page(key)] { page } else { nil }
  }

  /// Whether a page is there; that does not count as asking for it.
  func contains(_ key: Key) -> Bool { contents.contains(.page(key)) }

  subscript(key: RowsKey) -> KeptRows? {
    if case .rows(let rows)? = contents[.rows(key)] { rows } else { nil }
  }

  /// Keeps a page; one that is too large for its part of the memory is left out.
  /// - Returns: the page as it is kept, its lists in memory that it shares with other pages.
  func keep(_ page: ArrowArray, for key: Key) -> ArrowArray {
    let packed = PackedColumns([lists.pooled(page)])
    let page = packed.columns[0]
    let byteCount = packed.byteCount + (page.isPooled ? 0 : page.dictionaryByteCount)
    contents.keep(.page(page), byteCount: byteCount, for: .page(key), beside: lists.byteCount)
    return page
  }

  /// Keeps a user's rows, instead of those that were kept before.
  func keep(_ rows: KeptRows, for key: RowsKey) {
    contents.keep(.rows(rows), byteCount: rows.byteCount, for: .rows(key), beside: lists.byteCount)
  }

  package struct Statistics: Sendable {
    package var hits = 0
    package var misses = 0
    /// Of pages and users' rows.
    package var pageCount = 0
    package var byteCount = 0
  }

  package var statistics: Statistics {
    var statistics = contents.statistics
    statistics.byteCount += lists.byteCount
    return statistics
  }
}
