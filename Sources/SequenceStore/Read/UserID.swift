import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine
import Glibc

/// Whose events are read.
package enum UserID: Sendable, Hashable {
  case integer(Int64)
  case text(String)

  /// The key that `text` writes, for a column of `type`; nil when it is none.
  package init?(_ text: String, type: DataType) {
    switch type {
    case .int64:
      guard let value = Int64(text) else { return nil }
      self = .integer(value)
    case .utf8: self = .text(text)
    default: return nil
    }
  }

  /// Value `row` of a user column.
  init(_ users: ArrowArray, _ row: Int) {
    self = users.type == .int64 ? .integer(users.values.load(row, as: Int64.self)) : .text(users.string(row))
  }

  /// As a Parquet column stores it, without a length.
  var plainBytes: Buffer {
    switch self {
    case .integer(let value): Buffer([value])
    case .text(let text): Buffer(Array(text.utf8))
    }
  }
}

/// A user's key made ready for look-ups.
struct UserProbe {
  let key: UserID
  let plain: Buffer
  /// What bloom filters hold.
  let hash: UInt64

  init(_ key: UserID) {
    let bytes = key.plainBytes
    self.key = key
    plain = bytes
    hash = XXHash64.hash(bytes.bytes)
  }

  /// The shard that the user belongs to.
  func shard(of count: Int) -> Shard { ShardRouter(count: count).shard(ofHash: Murmur3.hash(plain.bytes)) }

  /// Whether the user is one of a part of all users; nil: of any.
  func mayBe(in part: ShardPart?) -> Bool { part.map { shard(of: $0.count) == $0.shard } ?? true }

  /// The type of the user columns that it is looked for in.
  var type: DataType { if case .integer = key { .int64 } else { .utf8 } }

  /// What `ArrowArray.hashes` gives for a user column's value.
  var liveHash: UInt64 {
    switch key {
    case .integer(let value): Hash64.of(value)
    case .text: Hash64.of(plain.bytes)
    }
  }

  /// How value `index` of a user column stands to this key: negative before, 0 equal, positive after.
  @inline(__always) func order(of column: ArrowArray, _ index: Int) -> Int {
    switch key {
    case .integer(let wanted):
      let value = column.values.load(index, as: Int64.self)
      return value < wanted ? -1 : value == wanted ? 0 : 1
    case .text: return Self.compare(column.bytes(index), plain)
    }
  }

  /// How a bound stands to this key. Bounds of texts may be cut: a lower one is then less, an upper one greater.
  func order(ofBound bound: Buffer) -> Int {
    switch key {
    case .integer(let wanted):
      guard bound.byteCount == 8 else { return 0 }
      let value = bound.load(0, as: Int64.self)
      return value < wanted ? -1 : value == wanted ? 0 : 1
    case .text: return Self.compare(bound, plain)
    }
  }

  private static func compare(_ left: Buffer, _ right: Buffer) -> Int {
    unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        let count = min(left.count, right.count)
        let order = count == 0 ? 0 : Int(unsafe memcmp(left.baseAddress!, right.baseAddress!, count))
        return order != 0 ? order : left.count - right.count
      }
    }
  }

  /// The first of `range` whose user is not before this one, in a sorted column.
  func lowerBound(in column: ArrowArray, _ range: Range<Int>) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if order(of: column, middle) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The first of `range` whose user is after this one, in a sorted column.
  func upperBound(in column: ArrowArray, _ range: Range<Int>) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if order(of: column, middle) <= 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
