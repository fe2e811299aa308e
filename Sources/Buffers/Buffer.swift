import Glibc

/// Owns a region of memory and gives it back when the last `Buffer` over it is gone.
@safe public final class BufferOwner: @unchecked Sendable {
  // SAFETY: the region is immutable once it is wrapped, so threads may share it.
  @usableFromInline let base: UnsafeMutableRawPointer
  /// Whether the region is pages that go back to the system when it is released.
  let hasOwnPages: Bool
  private let release: @Sendable (UnsafeMutableRawPointer) -> Void

  /// Takes over `base`; `release` is called with it exactly once.
  public convenience init(
    _ base: UnsafeMutableRawPointer, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    unsafe self.init(base, hasOwnPages: false, release: release)
  }

  init(
    _ base: UnsafeMutableRawPointer, hasOwnPages: Bool, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    unsafe self.base = base
    self.hasOwnPages = hasOwnPages
    unsafe self.release = release
  }

  deinit { unsafe release(base) }
}

/// Immutable bytes, shared without copying: a slice of a region that an owner keeps alive.
///
/// Memory made here is aligned to 64 bytes and readable for 64 bytes past its end, so kernels may load whole words.
/// Memory wrapped from elsewhere (a file mapping, a slice of a message) promises neither.
@safe public struct Buffer: @unchecked Sendable {
  @usableFromInline let owner: BufferOwner?
  @usableFromInline let base: UnsafeRawPointer
  public let byteCount: Int

  @inlinable init(owner: BufferOwner?, base: UnsafeRawPointer, byteCount: Int) {
    self.owner = owner
    unsafe self.base = base
    self.byteCount = byteCount
  }

  /// The first `byteCount` bytes of the owner's region.
  /// - Note: unsafe because nothing checks that the region is that long.
  @unsafe public init(owner: BufferOwner, byteCount: Int) {
    unsafe self.init(owner: owner, base: UnsafeRawPointer(owner.base), byteCount: byteCount)
  }

  /// No bytes.
  public static let empty: Buffer = {
    var builder = BufferBuilder(capacity: 64)
    return builder.take()
  }()

  public init(copying bytes: RawSpan) {
    var builder = BufferBuilder(capacity: bytes.byteCount)
    builder.append(bytes)
    self = builder.take()
  }

  public init<T: BitwiseCopyable>(_ values: [T]) {
    var builder = BufferBuilder(capacity: values.count * MemoryLayout<T>.stride)
    builder.append(contentsOf: values.span)
    self = builder.take()
  }

  /// `byteCount` zero bytes.
  public init(zeroes byteCount: Int) {
    var builder = BufferBuilder(capacity: byteCount)
    builder.append(zeroes: byteCount)
    self = builder.take()
  }

  @inlinable public var isEmpty: Bool { byteCount == 0 }

  /// All bytes.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self) get {
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes as whole elements of `T`; a trailing part of an element is left out.
  /// - Precondition: the memory is aligned for `T`.
  @inlinable @_lifetime(borrow self)
  public func span<T: BitwiseCopyable>(of type: T.Type) -> Span<T> {
    let count = byteCount / MemoryLayout<T>.stride
    let span = unsafe Span<T>(_unsafeStart: base.assumingMemoryBound(to: T.self), count: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The bytes `range`, sharing this memory.
  /// - Precondition: `range` lies within `0..<byteCount`.
  @inlinable public func slice(_ range: Range<Int>) -> Buffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "slice \(range) of \(byteCount) bytes")
    return unsafe Buffer(owner: owner, base: base + range.lowerBound, byteCount: range.count)
  }

  /// Element `index` of the bytes seen as elements of `T`; alignment does not matter.
  @inlinable public func load<T: BitwiseCopyable>(_ index: Int, as type: T.Type) -> T {
    let offset = index * MemoryLayout<T>.stride
    precondition(index >= 0 && offset + MemoryLayout<T>.size <= byteCount, "element \(index) of \(byteCount) bytes")
    return unsafe base.loadUnaligned(fromByteOffset: offset, as: T.self)
  }

  /// Like `load`, for loops that have checked their indices beforehand.
  /// - Note: unsafe because nothing checks `index`.
  @unsafe @inlinable public func load<T: BitwiseCopyable>(unchecked index: Int, as type: T.Type) -> T {
    unsafe base.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.stride, as: T.self)
  }

  /// Whether both are the very same memory: equal without a look at the bytes.
  @inlinable public func isIdentical(to other: Buffer) -> Bool {
    (unsafe base == other.base) && byteCount == other.byteCount
  }

  /// Calls `body` with the raw memory; the pointer must not leave it.
  @inlinable public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }

  /// Whether the first byte lies at a multiple of `alignment`.
  @inlinable public func isAligned(to alignment: Int) -> Bool { Int(bitPattern: unsafe base) % alignment == 0 }
}

extension Buffer: Equatable {
  public static func == (left: Buffer, right: Buffer) -> Bool {
    left.byteCount == right.byteCount && (unsafe memcmp(left.base, right.base, left.byteCount)) == 0
  }
}
