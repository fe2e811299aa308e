/// The 64-bit hash XXH64: of event ids, and the checksum of zstd frames (its low 32 bits).
///
/// One shot through `hash(_:seed:)`; in pieces through `update(_:)` and `digest()`, which give the same.
/// - Source: xxHash `doc/xxhash_spec.md`, "XXH64 algorithm description".
public struct XXHash64: ~Copyable {
  private var lanes: XXHash64Lanes
  private let seed: UInt64
  private var total = 0
  /// What is left of the input beyond whole stripes: fewer than 32 bytes.
  private var tail = BufferBuilder(capacity: 32)

  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = XXHash64Lanes(seed: seed)
  }

  /// The hash of `bytes`.
  public static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    unsafe bytes.withUnsafeBytes { input in
      var lanes = XXHash64Lanes(seed: seed)
      let striped = unsafe lanes.consume(input)
      let start = input.count < 32 ? seed &+ XXHash64Lanes.prime5 : lanes.merged
      return unsafe finalize(start &+ UInt64(input.count), UnsafeRawBufferPointer(rebasing: input[striped...]))
    }
  }

  /// Adds `bytes` at the end of the input so far.
  public mutating func update(_ bytes: RawSpan) {
    total += bytes.byteCount
    var bytes = bytes
    if tail.byteCount > 0 {
      let missing = min(32 - tail.byteCount, bytes.byteCount)
      tail.append(bytes.extracting(0..<missing))
      bytes = bytes.extracting(missing..<bytes.byteCount)
      guard tail.byteCount == 32 else { return }
      var lanes = lanes
      lanes.consume(tail.bytes)
      self.lanes = lanes
      tail.truncate(to: 0)
    }
    let striped = lanes.consume(bytes)
    tail.append(bytes.extracting(striped..<bytes.byteCount))
  }

  /// The hash of the input so far.
  public func digest() -> UInt64 {
    let start = total < 32 ? seed &+ XXHash64Lanes.prime5 : lanes.merged
    return unsafe tail.bytes.withUnsafeBytes { unsafe Self.finalize(start &+ UInt64(total), $0) }
  }

  /// Mixes in fewer than 32 last bytes, then spreads every bit over the whole word.
  private static func finalize(_ start: UInt64, _ rest: UnsafeRawBufferPointer) -> UInt64 {
    typealias Lanes = XXHash64Lanes
    var hash = start
    var index = 0
    while index &+ 8 <= rest.count {
      hash ^= Lanes.round(0, unsafe UInt64(littleEndian: rest.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      hash = Lanes.rotate(hash, 27) &* Lanes.prime1 &+ Lanes.prime4
      index &+= 8
    }
    if index &+ 4 <= rest.count {
      let word = unsafe UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      hash = Lanes.rotate(hash ^ UInt64(word) &* Lanes.prime1, 23) &* Lanes.prime2 &+ Lanes.prime3
      index &+= 4
    }
    while index < rest.count {
      hash = Lanes.rotate(hash ^ UInt64(unsafe rest[index]) &* Lanes.prime5, 11) &* Lanes.prime1
      index &+= 1
    }
    hash = (hash ^ hash &>> 33) &* Lanes.prime2
    hash = (hash ^ hash &>> 29) &* Lanes.prime3
    return hash ^ hash &>> 32
  }
}

/// The four accumulators that take a stripe of 32 bytes at a time.
private struct XXHash64Lanes {
  static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  var first, second, third, fourth: UInt64

  init(seed: UInt64) {
    first = seed &+ Self.prime1 &+ Self.prime2
    second = seed &+ Self.prime2
    third = seed
    fourth = seed &- Self.prime1
  }

  @inline(__always) static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
    word &<< count | word &>> (64 &- count)
  }

  @inline(__always) static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @discardableResult mutating func consume(_ input: RawSpan) -> Int {
    unsafe input.withUnsafeBytes { unsafe consume($0) }
  }

  /// Takes the whole stripes of `input` and answers how many bytes they are.
  mutating func consume(_ input: UnsafeRawBufferPointer) -> Int {
    let end = input.count & ~31
    guard end > 0, let base = input.baseAddress else { return 0 }
    var (a, b, c, d) = (first, second, third, fourth)
    var index = 0
    while index < end {
      a = Self.round(a, unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      b = Self.round(b, unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)))
      c = Self.round(c, unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self)))
      d = Self.round(d, unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self)))
      index &+= 32
    }
    (first, second, third, fourth) = (a, b, c, d)
    return end
  }

  /// The accumulators as one word.
  var merged: UInt64 {
    var hash = Self.rotate(first, 1) &+ Self.rotate(second, 7) &+ Self.rotate(third, 12) &+ Self.rotate(fourth, 18)
    hash = Self.merge(hash, first)
    hash = Self.merge(hash, second)
    hash = Self.merge(hash, third)
    return Self.merge(hash, fourth)
  }

  @inline(__always) private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }
}
