/// How many rows the pages of a column have.
///
/// A point read decompresses whole pages, so a column of wide values gets short ones: half the rows, a quarter, and so on.
/// The first page, of half the rows, tells how many. If the next ones take much more room for a row than it did, as texts
/// do that repeat far apart, pages have twice as many rows again. Pages end at multiples of their size: so those of all
/// columns end together where the longest do.
struct PageSize {
  /// By how many hundredths a row may grow in shorter pages.
  private static let allowance = 10

  private(set) var rowCount: Int
  let greatestRowCount: Int
  private let leastRowCount: Int
  /// Stored bytes of a page, about.
  private let byteCount: Int
  /// The first page.
  private var first: Page?
  /// All pages of the present size, until they are judged.
  private var short = Page(rowCount: 0, byteCount: 0)
  private var isSettled = false

  private struct Page {
    var rowCount: Int
    /// As it is stored.
    var byteCount: Int
  }

  /// Pages of that many rows, however many bytes they take.
  init(rowCount: Int) {
    self.rowCount = rowCount
    (leastRowCount, greatestRowCount, byteCount, isSettled) = (rowCount, rowCount, .max, true)
  }

  /// - Parameter byteCount: which stored pages should not exceed.
  init(rowCounts: ClosedRange<Int>, byteCount: Int) {
    (leastRowCount, greatestRowCount) = (rowCounts.lowerBound, rowCounts.upperBound)
    self.byteCount = byteCount
    rowCount = greatestRowCount
    halve()
  }

  /// Looks at a page as it is stored, unless the rows that were left were too few to tell.
  mutating func note(rowCount rows: Int, byteCount stored: Int) {
    guard !isSettled, rows >= leastRowCount else { return }
    guard let first else { return choose(Page(rowCount: rows, byteCount: stored)) }
    short.rowCount += rows
    short.byteCount += stored
    guard short.rowCount >= first.rowCount else { return }
    if short.byteCount * first.rowCount * 100 > first.byteCount * short.rowCount * (100 + Self.allowance) {
      rowCount *= 2
      short = Page(rowCount: 0, byteCount: 0)
      isSettled = rowCount >= first.rowCount
    } else {
      isSettled = true
    }
  }

  private mutating func choose(_ page: Page) {
    first = page
    rowCount = greatestRowCount
    while page.byteCount * rowCount / page.rowCount > byteCount, halve() {}
    isSettled = rowCount >= page.rowCount
  }

  /// - Returns: whether that was possible.
  @discardableResult private mutating func halve() -> Bool {
    guard rowCount.isMultiple(of: 2), rowCount / 2 >= leastRowCount else { return false }
    rowCount /= 2
    return true
  }
}
