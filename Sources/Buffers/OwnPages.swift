import Glibc

extension Buffer {
  /// The same bytes in pages of their own, which go back to the system with the last buffer over them, whatever the
  /// allocator keeps: for what is large and lives long beside much that comes and goes.
  ///
  /// - Returns: itself where it has such pages, no bytes, or there is no memory for pages.
  public func inOwnPages() -> Buffer {
    if isEmpty || owner?.hasOwnPages ?? false { return self }
    return Self.ownPages([self], byteCount: byteCount) ?? self
  }

  /// All bytes of `buffers`, one after the other; very many of them in pages of their own.
  public static func joining(_ buffers: [Buffer]) -> Buffer {
    let byteCount = buffers.reduce(0) { $0 + $1.byteCount }
    if byteCount >= ownPagesByteCount, let joined = ownPages(buffers, byteCount: byteCount) { return joined }
    var output = BufferBuilder(capacity: byteCount)
    for buffer in buffers { output.append(buffer) }
    return output.finish()
  }

  /// - Returns: nil where there is no memory for pages.
  private static func ownPages(_ buffers: [Buffer], byteCount: Int) -> Buffer? {
    let hugeByteCount = byteCount & ~(hugePageByteCount - 1)
    let size = byteCount + BufferBuilder.slack + (hugeByteCount > 0 ? hugePageByteCount : 0)
    let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
    let start = unsafe hugeByteCount > 0 ? memory.alignedUp(toMultipleOf: hugePageByteCount) : memory
    // A fault on each 4 KiB would cost more than the copy.
    if hugeByteCount > 0 { unsafe madvise(start, hugeByteCount, MADV_HUGEPAGE) }
    var end = unsafe start
    for buffer in buffers {
      unsafe buffer.withUnsafeBytes { source in _ = unsafe memcpy(end, source.baseAddress!, source.count) }
      unsafe end += buffer.byteCount
    }
    // SAFETY: the mapping holds the bytes behind `start`, belongs to the owner alone, and is unmapped with it.
    let owner = unsafe BufferOwner(memory, hasOwnPages: true) { memory in unsafe munmap(memory, size) }
    return unsafe Buffer(owner: owner, base: UnsafeRawPointer(start), byteCount: byteCount)
  }

  /// More bytes than this are not joined in memory that the allocator would keep.
  private static var ownPagesByteCount: Int { 8 << 20 }
  private static var hugePageByteCount: Int { 2 << 20 }
}
