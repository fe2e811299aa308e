import Arrow
import Buffers
import Frames
import JSONText
import TestSupport
import Testing

@Suite struct ForeignFrameTests {
  private func frames(_ bytes: Buffer) throws -> [RawFrame] {
    var splitter = FrameSplitter()
    splitter.push(bytes)
    var frames: [RawFrame] = []
    while let frame = try splitter.next() { frames.append(frame) }
    try splitter.finish()
    return frames
  }

  @Test(arguments: [
    ["-1"], ["-19"], ["--no-check"], ["--ultra", "-22"], ["--fast=5"], ["--long=24"], ["--stream-size=1"],
  ])
  func framesOfTheZstdToolAreRead(arguments: [String]) throws {
    guard let zstd = Tool.find("zstd") else { return }
    let batch = Samples.batch(rows: 40_000, seed: 9)
    let stream = IPCStreamEncoder.encode(schema: batch.schema, batches: [batch])
    let input = arguments == ["--stream-size=1"] ? ["-c"] : ["-c"] + arguments
    let bytes = try Tool.run(zstd, input, input: stream).output
    let found = try frames(bytes)
    #expect(found.count == 1)
    #expect(try found[0].content() == stream)
    guard case .data(_, let batches) = try found[0].decode() else { return }
    #expect(batches[0].rowCount == 40_000 && batches[0].row(at: 39_999) == batch.row(at: 39_999))
  }

  @Test func skippableFramesOfOthersAreLeftOut() throws {
    let encoder = FrameEncoder(compression: .stored)
    var bytes = BufferBuilder()
    bytes.append(TextInputTests.foreign)
    bytes.append(encoder.encode(.watermark(1)).bytes)
    bytes.append(TextInputTests.foreign)
    bytes.append(TextInputTests.foreign)
    let found = try frames(bytes.finish())
    #expect(found.map(\.byteOffset) == [TextInputTests.foreign.byteCount])
    var cut = FrameSplitter()
    cut.push(TextInputTests.foreign.slice(0..<9))
    #expect(try cut.next() == nil)
    #expect(throws: FrameError(.truncated(found: 0), byteOffset: 9)) { try cut.finish() }
  }

  @Test(.enabled(if: SharedData.isPresent, "the conformance suites are absent"))
  func goldenFramesDecompress() throws {
    let folder = "conformance/zstd/golden-decompression/"
    let sizes = ["block-128k.zst": 131_068, "rle-first-block.zst": 1_048_576]
    for (name, byteCount) in sizes {
      let content = try frames(SharedData.bytes(folder + name))[0].content()
      #expect(content.byteCount == byteCount)
      if let zstd = Tool.find("zstd") {
        #expect(try Tool.run(zstd, ["-dc"], input: SharedData.bytes(folder + name)).output == content)
      }
    }
  }

  @Test(arguments: SharedData.files(in: "conformance/zstd/golden-decompression-errors"))
  func corruptGoldenFramesNeverReadAsData(path: String) throws {
    let found = try frames(SharedData.bytes(path))
    #expect(throws: FrameError.self) { try found[0].decode() }
  }

  @Test(
    arguments: SharedData.files(
      in: "conformance/arrow-testing/arrow-ipc-stream/integration/2.0.0-compression", suffix: ".stream"))
  func compressedBuffersOfGoldStreamsAreRead(path: String) throws {
    let options = IPCDecodingOptions(validatesText: true, decompress: BufferCodecs.decompress)
    let (schema, batches) = try IPCStreamDecoder.decode(SharedData.bytes(path), options: options)
    let text = try Tool.run(
      Tool.find("zcat")!, [SharedData.root! + "/" + path.dropLast(".stream".count) + ".json.gz"]
    ).output
    let expected = IntegrationJSON(try JSONValue(parsing: text.bytes))
    #expect(schema == expected.schema)
    #expect(expected.difference(from: batches) == nil)
    let refused = #expect(throws: IPCError.self) { try IPCStreamDecoder.decode(SharedData.bytes(path)) }
    #expect(refused.map { if case .unsupportedCompression = $0.reason { true } else { false } } == true)
  }

  // MARK: Hostile frames

  /// A frame header that states `content` bytes, then one block.
  private func frame(content: UInt64, block: [UInt8]) -> Buffer {
    var bytes = BufferBuilder()
    bytes.append(UInt32(0xFD2F_B528))
    bytes.append(UInt8(0b1110_0000))
    bytes.append(content)
    for byte in block { bytes.append(byte) }
    return bytes.finish()
  }

  @Test func aFrameThatClaimsTooMuchIsRefusedByItsHeader() {
    var splitter = FrameSplitter(maximumContent: 1_000)
    splitter.push(frame(content: .max, block: []))
    #expect(throws: FrameError(.contentTooLarge(limit: 1_000), byteOffset: 0)) { try splitter.next() }
  }

  @Test func aFrameThatLiesAboutItsSizeIsRefused() throws {
    let oneByte: [UInt8] = [0b0000_1001, 0, 0, 65]
    #expect(throws: FrameError(.contentByteCount(stated: 200 << 20, found: 1), byteOffset: 0)) {
      try frames(frame(content: 200 << 20, block: oneByte))[0].decode()
    }
    let run: [UInt8] = [0b0000_0011, 0, 16, 65]
    #expect(throws: FrameError.self) { try frames(frame(content: 5, block: run))[0].decode() }
    #expect(throws: FrameError.self) { try frames(frame(content: 131_071, block: run))[0].decode() }
    #expect(try frames(frame(content: 131_072, block: run))[0].content().byteCount == 131_072)
  }

  @Test func aBombIsCutOffAtTheLimit() throws {
    // Without a stated size: runs of 128 KiB in four bytes each.
    var bytes = BufferBuilder()
    bytes.append(UInt32(0xFD2F_B528))
    bytes.append(UInt16(0x7000))
    for index in 0..<4_096 {
      for byte: UInt8 in [index == 4_095 ? 3 : 2, 0, 16, 0] { bytes.append(byte) }
    }
    let bomb = bytes.finish()
    let raw = try frames(bomb)[0]
    #expect(throws: FrameError(.contentTooLarge(limit: 1 << 20), byteOffset: 0)) {
      try raw.decode(maximumContent: 1 << 20)
    }
  }

  @Test func emptyBlocksWithoutEndAreCutOff() {
    var splitter = FrameSplitter(maximumContent: 1_000)
    var bytes = BufferBuilder()
    bytes.append(UInt32(0xFD2F_B528))
    bytes.append(UInt16(0x7000))
    bytes.append(zeroes: 3 << 20)
    splitter.push(bytes.finish())
    #expect(throws: FrameError(.contentTooLarge(limit: 1_000), byteOffset: 0)) { try splitter.next() }
  }

  @Test func anArrowBombInsideAFrameIsRefused() throws {
    guard let zstd = Tool.find("zstd") else { return }
    let array = ArrowArray(.int64, count: 1 << 20, storage: .fixed(Buffer(zeroes: 8 << 20)))
    let schema = Schema([Field("zeroes", .int64)])
    let stream = IPCStreamEncoder.encode(schema: schema, batches: [RecordBatch(schema, [array])])
    let bytes = try Tool.run(zstd, ["-c", "-19"], input: stream).output
    #expect(bytes.byteCount < 2_000)
    #expect(throws: FrameError(.contentTooLarge(limit: 1 << 20), byteOffset: 0)) {
      try frames(bytes)[0].decode(maximumContent: 1 << 20)
    }
  }

  @Test func otherBytesAreNoFrame() {
    #expect(throws: FrameError(.notAFrame(magic: 0x0A7D_227B), byteOffset: 0)) {
      try frames(Buffer(Array("{\"}\n".utf8)))
    }
  }
}
