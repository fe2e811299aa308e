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
  public var byteCount: Int { sources.reduce(0) { $0 + $1.byteCount } }

  /// Adds what is new among `values`.
  /// - Returns: the number of each value, Int32 each.
  public mutating func add(_ values: ArrowArray) -> Buffer {
    precondition(values.type == type, "\(values.type) among \(type)")
    let hashes = values.hashes()
    let first = count
    var numbers = BufferBuilder(capacity: values.count * 4)
    var fresh = BufferBuilder()
    sources.append(values)
    bytes.append(values)
    for row in 0..<values.count {
      let location = RowReference(source: Int32(sources.count - 1), row: Int32(row))
      let hash = hashes.load(row, as: UInt64.self)
      let number = findOrInsert(hash, location)
      if number == locations.byteCount / 8 {
        locations.append(location)
        fresh.append(Int32(row))
      }
      numbers.append(Int32(number))
    }
    settle(fresh.finish(), first: first)
    return numbers.finish()
  }

  private mutating func findOrInsert(_ hash: UInt64, _ location: RowReference) -> Int {
    var probe = table.probe(hash)
    while let candidate = table.next(&probe) {
      if isEqual(locations.bytes.reference(candidate), location) { return candidate }
    }
    return table.insert(hash, at: probe)
  }

  private func isEqual(_ a: RowReference, _ b: RowReference) -> Bool {
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

/// Arrays whose values are bare byte strings without nulls, side by side, for comparisons by memory.
struct ByteValues: ~Copyable {
  /// Whether all arrays so far are of that kind.
  var areBare: Bool { strange == 0 }
  private var strange = 0
  private var isStrange: [Bool] = []
  private var offsets: [Buffer] = []
  private var data: [Buffer] = []
  private var width = 0

  mutating func append(_ array: ArrowArray) {
    var (ends, bytes) = (Buffer.empty, Buffer.empty)
    var bare = array.nullCount == 0
    switch array.storage {
    case .fixed(let values): (width, bytes) = (array.type.byteWidth!, values)
    case .variable(let offsets, let data): (width, ends, bytes) = (0, offsets, data)
    case .fixedSizeList(let child):
      if case .fixed(let values) = child.storage, child.nullCount == 0, case .fixedSizeList(_, let length) = array.type
      {
        (width, bytes) = (child.type.byteWidth! * length, values)
        bare = bare && width > 0
      } else {
        bare = false
      }
    default: bare = false
    }
    isStrange.append(!bare)
    strange += bare ? 0 : 1
    offsets.append(ends)
    data.append(bytes)
  }

  mutating func removeLast() {
    strange -= isStrange.removeLast() ? 1 : 0
    offsets.removeLast()
    data.removeLast()
  }

  func isEqual(_ a: RowReference, _ b: RowReference) -> Bool { value(a) == value(b) }

  private func value(_ location: RowReference) -> Buffer {
    let (source, row) = (Int(location.source), Int(location.row))
    if width > 0 { return data[source].slice(row * width..<(row + 1) * width) }
    let ends = offsets[source]
    return data[source].slice(Int(ends.load(row, as: Int32.self))..<Int(ends.load(row + 1, as: Int32.self)))
  }
}
