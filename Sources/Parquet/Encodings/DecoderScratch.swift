import Buffers

/// Memory that decoders reuse from page to page: one per thread.
struct DecoderScratch: ~Copyable {
  /// Unpacked deltas.
  var longs = BufferBuilder()
  /// Dictionary indices.
  var indices = BufferBuilder()
  /// Values before their conversion.
  var stored = BufferBuilder()
  /// Values with those before the wanted ones.
  var prefix = BufferBuilder()
  /// Byte arrays before their conversion.
  var byteArrays = ByteArrayScratch()
}

/// Byte arrays and the Int32 offset of each one's end.
struct ByteArrayScratch: ~Copyable {
  var ends = BufferBuilder()
  var data = BufferBuilder()

  mutating func clear() {
    ends.truncate(to: 0)
    data.truncate(to: 0)
  }
}
