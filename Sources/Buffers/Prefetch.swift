import CProcessor

/// Has the processor load the cache lines of some bytes; reads nothing.
@inline(__always) func prefetchLines(_ bytes: UnsafeRawPointer, byteCount: Int) {
  for offset in stride(from: 0, to: byteCount, by: 64) { unsafe processor_prefetch(bytes + offset) }
}

extension Buffer {
  /// Has the processor load bytes that will be read soon: values that lie far apart would be waited for one by one.
  public func prefetch(byteOffset: Int, byteCount: Int) {
    unsafe prefetchLines(base + byteOffset, byteCount: byteCount)
  }
}
