import Arrow
import ArrowKernels
import Buffers
import Engine
import Synchronization

/// Lists of numbers that rows of many pages have, such as the embedding of an item, each held once. Shared by threads.
///
/// A page's lists become numbers of lists of the pool, 4 bytes each. Pages whose lists lie in one region of the pool share
/// a dictionary, so that their rows are joined without looking at the lists.
package final class ListPool: Sendable {
  private let regionByteLimit: Int
  private let state = Monitor(State())
  private let used = Usage()

  private struct State {
    /// By the type of the lists.
    var regions: [DataType: Region] = [:]
    /// Types whose lists seldom are the same.
    var refused: Set<DataType> = []
  }

  /// - Parameter regionByteLimit: how much memory lists of a type may take. When they took it, later lists begin anew if
  ///   those before were found twice more each on average, and the old ones go with the last page that has them.
  package init(regionByteLimit: Int) { self.regionByteLimit = regionByteLimit }

  /// Memory that lists take, those included that only pages still have.
  package var byteCount: Int { used.byteCount }

  /// The same lists as a dictionary of lists of a fixed size; the page itself where it has none of one size and of
  /// numbers, or such as seldom are the same.
  package func pooled(_ page: ArrowArray) -> ArrowArray {
    guard let lists = EqualLists(page), !state.update({ $0.refused.contains(lists.type) }) else { return page }
    // Hashed before the lock is taken, so that others need not wait; the type may be refused meanwhile.
    let hashes = lists.hashes()
    return state.update { state in
      if state.refused.contains(lists.type) { return page }
      guard let region = state.regions[lists.type] ?? Region(lists, byteLimit: regionByteLimit, used) else {
        return page
      }
      state.regions[lists.type] = region
      if let pooled = region.pooled(lists, hashes) { return pooled }
      state.regions[lists.type] = nil
      if region.foundCount < 2 * region.count { state.refused.insert(lists.type) }
      return page
    }
  }

  /// Lists of one type, in the order in which they were met.
  private final class Region {
    private var pages: ReservedPages
    private var table = HashTable()
    /// All that there is room for, so that no page has another dictionary than the next.
    private let values: ArrowArray
    private let usage: Usage
    /// How often a list was there already.
    private(set) var foundCount = 0

    /// - Returns: nil where there is no memory, or no room for a list.
    init?(_ lists: EqualLists, byteLimit: Int, _ total: Usage) {
      let capacity = byteLimit / lists.byteWidth
      let usage = Usage(total)
      guard capacity > 0, let pages = ReservedPages(capacity: capacity * lists.byteWidth, released: { usage.forget() })
      else { return nil }
      values = lists.array(pages.buffer, count: capacity)
      self.usage = usage
      self.pages = pages
    }

    var count: Int { table.count }

    /// - Returns: nil when there is no room for all.
    func pooled(_ lists: EqualLists, _ hashes: [UInt64]) -> ArrowArray? {
      var numbers = BufferBuilder(capacity: lists.rows.count * 4)
      for (row, hash) in zip(lists.rows, hashes) {
        guard let row else {
          numbers.append(Int32(0))
          continue
        }
        guard let number = number(of: lists.bytes(row), hash) else { return nil }
        numbers.append(Int32(number))
      }
      return ArrowArray(
        .dictionary(index: .int32, value: lists.type, isOrdered: false), count: lists.rows.count,
        validity: lists.validity, storage: .dictionary(indices: numbers.finish(), values: values))
    }

    private func number(of list: Buffer, _ hash: UInt64) -> Int? {
      var probe = table.probe(hash)
      while let number = table.next(&probe) {
        let start = number * list.byteCount
        if pages.buffer.slice(start..<start + list.byteCount) == list {
          foundCount += 1
          return number
        }
      }
      guard pages.byteCount + list.byteCount <= pages.buffer.byteCount else { return nil }
      pages.append(list.bytes)
      usage.add(list.byteCount)
      return table.insert(hash, at: probe)
    }
  }

  /// Memory that is taken, also when only pages know of it.
  private final class Usage: Sendable {
    private let bytes = Atomic(0)
    private let whole: Usage?

    init(_ whole: Usage? = nil) { self.whole = whole }

    var byteCount: Int { bytes.load(ordering: .relaxed) }

    func add(_ count: Int) {
      bytes.add(count, ordering: .relaxed)
      whole?.add(count)
    }

    func forget() { whole?.add(-byteCount) }
  }
}

/// Lists of numbers, all of one length but for nulls.
private struct EqualLists {
  /// A list of a fixed size.
  let type: DataType
  let byteWidth: Int
  /// Where each lies among the lists' values; nil for a null.
  let rows: [Int?]
  let validity: Bitmap?
  private let values: Buffer
  private let element: Field
  private let length: Int

  /// - Returns: nil for everything else.
  init?(_ page: ArrowArray) {
    guard case .list(let element) = page.type, case .list(let offsets, let child) = page.storage,
      case .fixed(let values) = child.storage, let width = child.type.byteWidth, child.nullCount == 0
    else { return nil }
    let ends = offsets.span(of: Int32.self)
    guard let first = (0..<page.count).first(where: { page.isValid($0) }) else { return nil }
    let length = Int(ends[first + 1] - ends[first])
    guard length > 0 else { return nil }
    var rows: [Int?] = []
    rows.reserveCapacity(page.count)
    for row in 0..<page.count {
      if page.isNull(row) {
        rows.append(nil)
      } else if Int(ends[row + 1] - ends[row]) == length {
        rows.append(Int(ends[row]) * width)
      } else {
        return nil
      }
    }
    type = .fixedSizeList(element, count: length)
    (self.rows, validity, byteWidth) = (rows, page.validity, length * width)
    (self.values, self.element, self.length) = (values, element, length)
  }

  func bytes(_ start: Int) -> Buffer { values.slice(start..<start + byteWidth) }

  /// Of each that is not null, and 0.
  func hashes() -> [UInt64] { rows.map { row in row.map { XXHash64.hash(bytes($0).bytes) } ?? 0 } }

  /// Lists whose values lie one after the other.
  func array(_ values: Buffer, count: Int) -> ArrowArray {
    let child = ArrowArray(element.type, count: count * length, storage: .fixed(values))
    return ArrowArray(type, count: count, storage: .fixedSizeList(child: child))
  }
}

extension ArrowArray {
  /// Whether the values are numbers of lists in a pool.
  var isPooled: Bool {
    if case .dictionary(_, let values) = storage, case .fixedSizeList = values.storage { true } else { false }
  }

  /// Of a dictionary's values.
  var dictionaryByteCount: Int { if case .dictionary(_, let values) = storage { values.byteCount } else { 0 } }

  /// The same values, if they are of a pool, as lists of fixed size whose elements are named as those of `type`; nil where
  /// more than names would change.
  func renamed(as type: DataType) -> ArrowArray? {
    guard case .dictionary(let numbers, let values) = storage,
      case .dictionary(let index, _, let isOrdered) = self.type,
      case .fixedSizeList(let child) = values.storage, case .fixedSizeList(let element, let length) = values.type,
      case .fixedSizeList(let wanted, length) = type, wanted.type == element.type
    else { return nil }
    return ArrowArray(
      .dictionary(index: index, value: type, isOrdered: isOrdered), count: count, validity: validity,
      storage: .dictionary(
        indices: numbers, values: ArrowArray(type, count: values.count, storage: .fixedSizeList(child: child))))
  }
}
