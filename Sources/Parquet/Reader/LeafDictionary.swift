import Arrow
import Buffers

/// The values of a column chunk's dictionary page, as Arrow stores them.
package struct LeafDictionary: Sendable {
  let count: Int
  /// Values of the layout's width one after the other; of byte arrays, their bytes.
  let values: Buffer
  /// `count + 1` Int32 offsets of byte arrays; else empty.
  let offsets: Buffer

  package var byteCount: Int { values.byteCount + offsets.byteCount }

  /// Decodes the decompressed bytes of a dictionary page.
  init(
    _ bytes: RawSpan, count: Int, leaf: LeafColumn, layout: ValueLayout, scratch: inout DecoderScratch
  ) throws(ParquetError) {
    self.count = count
    switch layout {
    case .null: (values, offsets) = (.empty, .empty)
    case .boolean: throw ParquetError(.unsupportedEncoding(Int(Encoding.plainDictionary.rawValue)))
    case .variable, .dictionary:
      var offsets = BufferBuilder(capacity: (count + 1) * 4)
      var data = BufferBuilder(capacity: bytes.byteCount)
      offsets.append(Int32(0))
      try PlainDecoder.appendByteArrays(bytes, count: count, ends: &offsets, data: &data)
      (self.offsets, values) = (offsets.finish(), data.finish())
    case .fixed, .narrowed, .int96, .decimal:
      var values = BufferBuilder(capacity: count * layout.width)
      try FixedValueDecoder(leaf, layout).append(
        PageValues(encoding: .plain, skipped: 0, count: count, total: count), bytes, to: &values, scratch: &scratch)
      (self.values, offsets) = (values.finish(), .empty)
    }
  }
}
