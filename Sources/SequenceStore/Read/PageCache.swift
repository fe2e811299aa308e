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
    private let user: UserID
    /// Of the dataset and the columns, in any order: those who ask for others find others kept.
    private let columns: Int

    init(_ dataset: String, _ columns: [Field], _ user: UserID) {
      self.user = user
      self.columns = columns.reduce(dataset.hashValue) { $0 ^ $1.hashValue }
    }

    var mixed: UInt {
      let part =
        switch user {
        case .integer(let key): UInt(truncatingIfNeeded: key)
        case .text(let key): UInt(bitPattern: key.hashValue)
        }
      return UInt(bitPattern: columns) &+ part
    }
  }

  private let pages: ClockCache<Key, ArrowArray>
  private let rows: ClockCache<RowsKey, KeptRows>

  /// - Parameter byteLimit: of the pages' and rows' arrays.
  package init(byteLimit: Int) {
    rows = ClockCache(byteLimit: byteLimit / 2)
    pages = ClockCache(byteLimit: byteLimit - byteLimit / 2)
  }

  subscript(key: Key) -> ArrowArray? { pages[key] }

  subscript(key: RowsKey) -> KeptRows? { rows[key] }

  /// Keeps a page; one that is too large for its part of the memory is left out.
  func keep(_ page: ArrowArray, for key: Key) { pages.keep(page, byteCount: page.byteCount, for: key) }

  /// Keeps a user's rows, instead of those that were kept before.
  func keep(_ rows: KeptRows, byteCount: Int, for key: RowsKey) { self.rows.keep(rows, byteCount: byteCount, for: key) }

  package struct Statistics: Sendable {
    package var hits = 0
    package var misses = 0
    /// Of pages and users' rows.
    package var pageCount = 0
    package var byteCount = 0
  }

  package var statistics: Statistics {
    var sum = pages.statistics
    let rows = rows.statistics
    sum.hits += rows.hits
    sum.misses += rows.misses
    sum.pageCount += rows.pageCount
    sum.byteCount += rows.byteCount
    return sum
  }
}
