import Glibc

/// Bytes that grow at the end and become an immutable `Buffer`.
@safe public struct BufferBuilder: ~Copyable {
  // SAFETY: `base` points to `capacity` + `slack` bytes of which this value is the only owner.
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  /// How many bytes were appended.
  public var byteCount: Int { @inlinable get { count } }
  @usableFromInline var count: Int = 0

  /// Readable bytes past the end, and the alignment of the start.
  @usableFromInline static var slack: Int { 64 }

  public init(capacity: Int = 0) {
    self.capacity = capacity
    unsafe base = capacity > 0 ? Self.allocate(capacity) : Self.nothing
  }

  deinit { if capacity > 0 { unsafe Self.release(base) } }

  /// What builders without capacity point to.
  // SAFETY: nothing is ever written there.
  private static nonisolated(unsafe) let nothing = unsafe allocate(0)

  /// Memory of `malloc`, which is much faster than aligned allocation for small sizes, with room to align the start;
  /// the 8 bytes before the start say where the memory begins.
  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    let memory = unsafe require(malloc(size(capacity)), capacity)
    let start = unsafe align(memory)
    unsafe (start - 8).storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    return unsafe start
  }

  private static func size(_ capacity: Int) -> Int { ((capacity + 63) & ~63) + slack + 64 + 8 }

  private static func require(_ memory: UnsafeMutableRawPointer?, _ capacity: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe memory else { fatalError("out of memory for \(capacity) bytes") }
    return unsafe memory
  }

  private static func align(_ memory: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    unsafe (memory + 8).alignedUp(toMultipleOf: 64)
  }

  private static func memory(of base: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    unsafe (base - 8).load(as: UnsafeMutableRawPointer.self)
  }

  private static func release(_ base: UnsafeMutableRawPointer) { unsafe free(memory(of: base)) }

  /// Makes room for `additional` more bytes.
  @inlinable public mutating func reserve(_ additional: Int) {
    if count + additional > capacity { grow(count + additional) }
  }

  @usableFromInline mutating func grow(_ needed: Int) {
    let larger = max(needed, capacity * 2, 64)
    guard capacity > 0 else {
      unsafe base = Self.allocate(larger)
      capacity = larger
      return
    }
    // Large regions move by remapping their pages; the start's place in the region may change.
    let memory = unsafe Self.memory(of: base)
    let offset = unsafe base - memory
    let moved = unsafe Self.require(realloc(memory, Self.size(larger)), larger)
    unsafe base = Self.align(moved)
    if unsafe moved + offset != base { unsafe memmove(base, moved + offset, count) }
    unsafe (base - 8).storeBytes(of: moved, as: UnsafeMutableRawPointer.self)
    capacity = larger
  }

  @inlinable public mutating func append<T: BitwiseCopyable>(_ value: T) {
    reserve(MemoryLayout<T>.stride)
    unsafe (base + count).storeBytes(of: value, as: T.self)
    count &+= MemoryLayout<T>.stride
  }

  @inlinable public mutating func append(_ bytes: RawSpan) {
    reserve(bytes.byteCount)
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe memcpy(base + count, start, source.count) }
    }
    count &+= bytes.byteCount
  }

  @inlinable public mutating func append<T: BitwiseCopyable>(contentsOf values: Span<T>) {
    unsafe append(values.bytes)
  }

  @inlinable public mutating func append(_ buffer: Buffer) { append(buffer.bytes) }

  /// The UTF-8 bytes of `text`.
  public mutating func append(utf8 text: String) {
    var text = text
    text.withUTF8 { source in
      reserve(source.count)
      if let start = source.baseAddress { unsafe memcpy(base + count, start, source.count) }
      count &+= source.count
    }
  }

  @inlinable public mutating func append(zeroes byteCount: Int) {
    reserve(byteCount)
    unsafe memset(base + count, 0, byteCount)
    count &+= byteCount
  }

  @inlinable public mutating func append<T: BitwiseCopyable>(repeating value: T, count copies: Int) {
    reserve(copies * MemoryLayout<T>.stride)
    for copy in 0..<copies {
      unsafe (base + count + copy * MemoryLayout<T>.stride).storeBytes(of: value, as: T.self)
    }
    count &+= copies * MemoryLayout<T>.stride
  }

  /// Appends up to `capacity` elements of `T` that `body` writes.
  @inlinable public mutating func append<T: BitwiseCopyable, E: Error>(
    capacity: Int, of type: T.Type, initializingWith body: (inout OutputSpan<T>) throws(E) -> Void
  ) throws(E) {
    reserve(capacity * MemoryLayout<T>.stride)
    let room = unsafe UnsafeMutableBufferPointer(
      start: (base + count).assumingMemoryBound(to: T.self), count: capacity)
    var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
    try body(&output)
    count &+= (unsafe output.finalize(for: room)) * MemoryLayout<T>.stride
  }

  /// Fills up with zeroes to a multiple of `alignment` bytes.
  @inlinable public mutating func pad(to alignment: Int) {
    append(zeroes: (alignment - count % alignment) % alignment)
  }

  /// The bytes so far.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self) get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes so far as whole elements of `T`, to be changed in place.
  @inlinable public mutating func withMutableSpan<T: BitwiseCopyable, R, E: Error>(
    of type: T.Type, _ body: (inout MutableSpan<T>) throws(E) -> R
  ) throws(E) -> R {
    var span = unsafe MutableSpan<T>(
      _unsafeStart: base.assumingMemoryBound(to: T.self), count: count / MemoryLayout<T>.stride)
    return try body(&span)
  }

  /// Changes bytes that were appended earlier.
  @inlinable public mutating func overwrite<T: BitwiseCopyable>(_ value: T, atByteOffset offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count, "offset \(offset) of \(count) bytes")
    unsafe (base + offset).storeBytes(of: value, as: T.self)
  }

  /// Grants raw room for `capacity` bytes at the end; `body` answers how many it wrote. For C calls.
  @inlinable public mutating func appendUnsafely<E: Error>(
    capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    reserve(capacity)
    let written = try unsafe body(UnsafeMutableRawBufferPointer(start: base + count, count: capacity))
    precondition(written >= 0 && written <= capacity, "\(written) bytes written where \(capacity) fit")
    count &+= written
  }

  /// Drops all but the first `byteCount` bytes.
  @inlinable public mutating func truncate(to byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= count, "cannot truncate \(count) bytes to \(byteCount)")
    count = byteCount
  }

  /// The bytes so far as an immutable buffer; this builder starts anew, empty.
  public mutating func take() -> Buffer {
    guard capacity > 0 else { return unsafe Buffer(owner: nil, base: UnsafeRawPointer(base), byteCount: 0) }
    let owner = unsafe BufferOwner(base) { base in unsafe Self.release(base) }
    let buffer = unsafe Buffer(owner: owner, byteCount: count)
    unsafe base = Self.nothing
    (capacity, count) = (0, 0)
    return buffer
  }

  /// The bytes as an immutable buffer.
  public consuming func finish() -> Buffer { take() }
}
