import Glibc

/// Room for bytes that are added one after the other and never move: pages that the system gives as they are written, and
/// gets back with the last buffer over them.
@safe public struct ReservedPages: ~Copyable {
  /// All of the room. What was not written yet is zero, and may change.
  public let buffer: Buffer
  public private(set) var byteCount = 0
  // SAFETY: the buffer's owner keeps the pages; only bytes behind `byteCount` are written, which nobody was told of.
  private let base: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - capacity: bytes, above 0.
  ///   - released: called when the pages go back.
  /// - Returns: nil where so much cannot be reserved.
  public init?(capacity: Int, released: @escaping @Sendable () -> Void) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let memory = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
    unsafe base = memory
    let owner = unsafe BufferOwner(memory) { memory in
      unsafe munmap(memory, capacity)
      released()
    }
    buffer = unsafe Buffer(owner: owner, byteCount: capacity)
  }

  /// - Precondition: there is room.
  public mutating func append(_ bytes: RawSpan) {
    precondition(
      bytes.byteCount <= buffer.byteCount - byteCount, "\(bytes.byteCount) bytes for \(buffer.byteCount - byteCount)")
    let end = unsafe base + byteCount
    unsafe bytes.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { unsafe end.copyMemory(from: start, byteCount: bytes.count) }
    }
    byteCount += bytes.byteCount
  }
}
