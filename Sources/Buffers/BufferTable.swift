import Glibc

/// The starts of several buffers, side by side, for kernels that gather values from all of them.
///
/// An array of `Buffer` would count references for every value read; this counts none.
@safe public struct BufferTable: ~Copyable {
  // SAFETY: `bases` holds one pointer per buffer of `buffers`, which keeps the memory alive as long as this value.
  private var buffers: [Buffer]
  @usableFromInline var bases: UnsafeMutablePointer<UnsafeRawPointer>
  private var capacity: Int

  public init(_ buffers: [Buffer] = []) {
    self.buffers = buffers
    capacity = max(buffers.count, 4)
    unsafe bases = Self.allocate(capacity)
    for index in buffers.indices { unsafe (bases + index).initialize(to: buffers[index].base) }
  }

  /// Tables come and go with every column of every batch, and `malloc` is much faster than aligned allocation.
  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UnsafeRawPointer> {
    guard let memory = unsafe malloc(capacity * MemoryLayout<UnsafeRawPointer>.stride) else {
      fatalError("out of memory for \(capacity) pointers")
    }
    return unsafe memory.assumingMemoryBound(to: UnsafeRawPointer.self)
  }

  public var count: Int { buffers.count }

  public mutating func append(_ buffer: Buffer) {
    if buffers.count == capacity { grow() }
    unsafe (bases + buffers.count).initialize(to: buffer.base)
    buffers.append(buffer)
  }

  public mutating func removeLast() { buffers.removeLast() }

  private mutating func grow() {
    let larger = unsafe Self.allocate(capacity * 2)
    unsafe larger.update(from: bases, count: capacity)
    unsafe free(bases)
    unsafe bases = larger
    capacity *= 2
  }

  deinit { unsafe free(bases) }

  /// Element `index` of buffer `buffer` seen as elements of `T`; alignment does not matter.
  /// - Note: unsafe because neither index is checked.
  @unsafe @inlinable public func load<T: BitwiseCopyable>(_ buffer: Int, _ index: Int, as type: T.Type) -> T {
    unsafe bases[buffer].loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.stride, as: T.self)
  }

  /// Byte `byteOffset` of buffer `buffer`, for copies.
  /// - Note: unsafe because neither is checked, and the pointer must not outlive this value.
  @unsafe @inlinable public func pointer(_ buffer: Int, byteOffset: Int) -> UnsafeRawPointer {
    unsafe bases[buffer] + byteOffset
  }

  /// Has the processor load bytes that will be read soon: values that lie far apart would be waited for one by one.
  public func prefetch(_ buffer: Int, byteOffset: Int, byteCount: Int) {
    unsafe prefetchLines(bases[buffer] + byteOffset, byteCount: byteCount)
  }
}
