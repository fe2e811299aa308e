import Arrow
import Buffers
import Glibc

/// Collects distinct values of arrays of one type, each under the number of its first appearance.
///
/// Unifies the dictionaries of several batches: `add` answers where each value of a dictionary lies in the merged one.
public struct DictionaryMerger: ~Copyable {
  private let type: DataType
  /// The arrays that hold the distinct values, and where value n lies in them.
  private var sources: [ArrowArray] = []
  private var locations = BufferBuilder()
  private var bytes = ByteValues()
  private var table = HashTable()

  /// - Parameter type: the values' type.
  public init(_ type: DataType) { self.type = type }

  public var count: Int { table.count }

  /// How many bytes the distinct values take.
  public private(set) var byteCount = 0

  /// Adds what is new among `values`.
  /// - Returns: the number of each value, Int32 each; -1 for a null.
  public mutating func add(_ values: ArrowArray) -> Buffer {
    precondition(values.type == type, "\(values.type) among \(type)")
    let first = count
    sources.append(values)
    bytes.append(values)
    var fresh = BufferBuilder()
    let numbers = number(values, hashes: values.hashes(), freshRows: &fresh)
    settle(fresh.finish(), first: first)
    return numbers
  }

  /// Looks every value up, and enters the new ones, whose rows it adds to `freshRows`.
  private mutating func number(_ values: ArrowArray, hashes: Buffer, freshRows: inout BufferBuilder) -> Buffer {
    let source = Int32(sources.count - 1)
    var numbers = BufferBuilder(capacity: values.count * 4)
    let areWide = bytes.areWide
    for row in 0..<values.count {
      if areWide { prefetch(unsafe hashes.load(unchecked: min(row &+ 8, values.count &- 1), as: UInt64.self)) }
      if values.isNull(row) {
        numbers.append(Int32(-1))
        continue
      }
      let location = RowReference(source: source, row: Int32(truncatingIfNeeded: row))
      let known = count
      let number = findOrInsert(unsafe hashes.load(unchecked: row, as: UInt64.self), location)
      if number == known {
        locations.append(location)
        freshRows.append(location.row)
      }
      numbers.append(Int32(truncatingIfNeeded: number))
    }
    return numbers.finish()
  }

  /// Has the value loaded that a value of that hash will be compared with.
  @inline(__always) private func prefetch(_ hash: UInt64) {
    if let candidate = table.likely(hash) { bytes.prefetch(locations.bytes.reference(candidate)) }
  }

  @inline(__always) private mutating func findOrInsert(_ hash: UInt64, _ location: RowReference) -> Int {
    var probe = table.probe(hash)
    while let candidate = table.next(&probe) {
      if isEqual(locations.bytes.reference(candidate), location) { return candidate }
    }
    return table.insert(hash, at: probe)
  }

  @inline(__always) private func isEqual(_ a: RowReference, _ b: RowReference) -> Bool {
    if bytes.areBare { return bytes.isEqual(a, b) }
    return sources[Int(a.source)].isEqual(Int(a.row), to: sources[Int(b.source)], Int(b.row))
  }

  /// Keeps of the array added last only the rows `fresh`, so that memory holds each value once.
  private mutating func settle(_ fresh: Buffer, first: Int) {
    let last = sources.removeLast()
    bytes.removeLast()
    let freshCount = fresh.byteCount / 4
    if freshCount == 0 { return }
    let kept = freshCount == last.count ? last : last.take(fresh)
    sources.append(kept)
    bytes.append(kept)
    byteCount += kept.byteCount
    for row in 0..<freshCount {
      let location = RowReference(source: Int32(sources.count - 1), row: Int32(row))
      locations.overwrite(location, atByteOffset: (first + row) * 8)
    }
  }

  /// The distinct values at `numbers`, Int32 each, in that order; a negative one yields a null.
  public func take(_ numbers: Buffer) -> ArrowArray {
    let known = locations.bytes
    var rows = BufferBuilder(capacity: numbers.byteCount * 2)
    for index in 0..<numbers.byteCount / 4 {
      let number = Int(numbers.load(index, as: Int32.self))
      rows.append(number < 0 ? .null : known.reference(number))
    }
    if sources.isEmpty { return ArrowArray(nulls: type, count: numbers.byteCount / 4) }
    return gather(sources, InterleavedRows(rows.finish(), rowCounts: sources.map(\.count)))
  }

  /// All distinct values, in the order of their numbers.
  public func values() -> ArrowArray {
    if sources.count == 1 { return sources[0] }
    return ArrowArray.concatenate(sources.isEmpty ? [ArrowArray(nulls: type, count: 0)] : sources)
  }
}

extension RawSpan {
  fileprivate func reference(_ index: Int) -> RowReference {
    unsafe unsafeLoadUnaligned(fromByteOffset: index &* 8, as: RowReference.self)
  }
}
