import Arrow
import Buffers
import Frames
import Testing

/// The bytes that `docs/formats/frames.md` draws.
@Suite struct FrameBytesTests {
  private func bytes(_ buffer: Buffer) -> [UInt8] { (0..<buffer.byteCount).map { buffer.load($0, as: UInt8.self) } }

  @Test func aControlFrameIsASkippableFrameOfJSON() {
    let frame = FrameEncoder(compression: .stored).encode(.watermark(5))
    #expect(bytes(frame.bytes) == [0x5E, 0x2A, 0x4D, 0x18, 15, 0, 0, 0] + Array(#"{"watermark":5}"#.utf8))
  }

  @Test(arguments: [1, 131_072 / 8, 100_000]) func aStoredFrameIsItsContentInRawBlocks(rows: Int) throws {
    let schema = Schema([Field("n", .int64)])
    let batch = RecordBatch(schema, [ArrowArray(.int64, (0..<rows).map { Int64($0) as Int64? })])
    let content = IPCStreamEncoder.encode(schema: schema, batches: [batch])
    var expected = BufferBuilder()
    expected.append(UInt32(0xFD2F_B528))
    expected.append(UInt8(0xA4))
    expected.append(UInt32(content.byteCount))
    for start in stride(from: 0, to: content.byteCount, by: 131_072) {
      let end = min(start + 131_072, content.byteCount)
      let header = UInt32(end - start) << 3 | (end == content.byteCount ? 1 : 0)
      for shift: UInt32 in [0, 8, 16] { expected.append(UInt8(truncatingIfNeeded: header >> shift)) }
      expected.append(content.slice(start..<end))
    }
    expected.append(UInt32(truncatingIfNeeded: XXHash64.hash(content.bytes)))
    let whole = expected.take()
    #expect(FrameEncoder(compression: .stored).encode(batch).bytes == whole)
  }

  @Test func everyBufferLiesAtAMultipleOf64() throws {
    let batch = Samples.batch(rows: 100, seed: 1)
    let stream = IPCStreamEncoder.encode(schema: batch.schema, batches: [batch])
    let found = try IPCStreamDecoder.decode(stream).batches[0]
    #expect(found.columns.allSatisfy { $0.validity.map { $0.buffer.isAligned(to: 64) } ?? true })
    #expect(found.columns[0].values.isAligned(to: 64) && found.columns[1].offsets.isAligned(to: 64))
  }
}
