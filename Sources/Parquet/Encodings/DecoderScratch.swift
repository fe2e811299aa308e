import Buffers

/// Memory that decoders reuse from page to page: one per thread.
struct DecoderScratch: ~Copyable {
  /// Unpacked deltas.
  var longs = BufferBuilder()
  /// Dictionary indices.
  var indices = BufferBuilder()
  /// Prefix lengths.
  var prefixes = BufferBuilder()
  /// Values before nulls stand between them, or before their conversion.
  var dense = BufferBuilder()
  var converted = BufferBuilder()
}
