import Arrow
import Buffers
import Frames
import TestSupport
import Testing

@Suite struct TextInputTests {
  static let codecs: [TextCodec] = [.gzip, .zstd]

  static let text: Buffer = {
    var random = SeededRandom(seed: 1)
    var builder = BufferBuilder()
    for number in 0..<20_000 {
      builder.append(utf8: "{\"number\":\(number),\"noise\":\(UInt32.random(in: 0...UInt32.max, using: &random))}\n")
    }
    return builder.finish()
  }()

  /// `text` as the codec's own tool writes it; nil when that is absent.
  private func compressed(_ codec: TextCodec, _ text: Buffer, _ arguments: [String] = []) throws -> Buffer? {
    guard let tool = Tool.find(codec.rawValue) else { return nil }
    return try Tool.run(tool, ["-c"] + arguments, input: text).output
  }

  /// The text of `bytes`, and how it ends.
  private func read(
    _ codec: TextCodec, _ bytes: Buffer, pieceByteCount: Int = 100_000, limit: Int = 1 << 20
  ) -> (text: Buffer, error: FrameError?) {
    var decompressor = TextDecompressor(codec)
    var text = BufferBuilder()
    do throws(FrameError) {
      for start in stride(from: 0, to: bytes.byteCount, by: pieceByteCount) {
        decompressor.push(bytes.slice(start..<min(start + pieceByteCount, bytes.byteCount)))
        while try decompressor.pull(into: &text, limit: limit) > 0 {}
      }
      try decompressor.finish()
      return (text.take(), nil)
    } catch {
      return (text.take(), error)
    }
  }

  @Test(arguments: codecs, [(1, 1_000), (7, 1 << 20), (4_096, 1), (100_000, 33), (.max >> 1, 1 << 20)])
  func textComesOutInPiecesOfAnySize(codec: TextCodec, sizes: (piece: Int, limit: Int)) throws {
    let whole = sizes.limit < 100 ? Self.text.slice(0..<30_000) : Self.text
    guard let bytes = try compressed(codec, whole) else { return }
    let (text, error) = read(codec, bytes, pieceByteCount: sizes.piece, limit: sizes.limit)
    #expect(text == whole && error == nil)
  }

  @Test(arguments: codecs) func membersFollowEachOther(codec: TextCodec) throws {
    let parts = [Self.text.slice(0..<100_000), .empty, Self.text.slice(100_000..<100_001)]
    let members = try parts.compactMap { try compressed(codec, $0) }
    guard members.count == parts.count else { return }
    let (text, error) = read(codec, Samples.joined(members))
    #expect(text == Self.text.slice(0..<100_001) && error == nil)
  }

  @Test(arguments: codecs) func anInputCutAnywhereGivesWhatCameBefore(codec: TextCodec) throws {
    guard let bytes = try compressed(codec, Self.text.slice(0..<3_000)) else { return }
    for end in 1..<bytes.byteCount {
      let (text, error) = read(codec, bytes.slice(0..<end))
      #expect(error == FrameError(.truncated(found: end), byteOffset: 0))
      #expect(text == Self.text.slice(0..<text.byteCount))
    }
  }

  @Test(arguments: codecs) func damageInTheSecondMemberNamesItsPlace(codec: TextCodec) throws {
    guard let first = try compressed(codec, Self.text), let second = try compressed(codec, Self.text) else { return }
    var damaged = BufferBuilder()
    damaged.append(second)
    damaged.overwrite(UInt64(0x5555_5555_5555_5555), atByteOffset: second.byteCount / 2)
    let (text, error) = read(codec, Samples.joined([first, damaged.finish()]))
    #expect(text.byteCount >= Self.text.byteCount && text.slice(0..<Self.text.byteCount) == Self.text)
    guard case .corrupt(codec.rawValue, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error!.byteOffset >= first.byteCount && error!.byteOffset <= first.byteCount + second.byteCount)
  }

  @Test func zeroesAfterGzipArePadding() throws {
    guard let bytes = try compressed(.gzip, Self.text) else { return }
    let (text, error) = read(.gzip, Samples.joined([bytes, Buffer(zeroes: 700)]), pieceByteCount: 999)
    #expect(text == Self.text && error == nil)
    guard case .corrupt = read(.gzip, Samples.joined([bytes, Buffer([UInt8](repeating: 7, count: 9))])).error?.reason
    else {
      Issue.record("garbage passed")
      return
    }
  }

  // MARK: Formats

  @Test func theFirstBytesTellTheFormat() throws {
    let encoder = FrameEncoder(compression: .stored)
    let batch = Samples.batch(rows: 10, seed: 1)
    let large = Samples.batch(rows: 60_000, seed: 1)
    var expected: [(Buffer, InputFormat)] = [
      (.empty, .empty), (Buffer(Array("{\"a\":1}\n".utf8)), .text), (Buffer(Array("x".utf8)), .text),
      (Buffer([0x1F] as [UInt8]), .text), (encoder.encode(batch).bytes, .frames),
      (FrameEncoder(compression: .level(3)).encode(batch).bytes, .frames),
      (FrameEncoder(compression: .level(19)).encode(large).bytes, .frames),
      (encoder.encode(large).bytes, .frames), (encoder.encode(.watermark(1)).bytes, .frames),
    ]
    for (text, codec) in [(Self.text, TextCodec.gzip), (Self.text, .zstd), (Buffer(Array("{}\n".utf8)), .zstd)] {
      guard let bytes = try compressed(codec, text) else { continue }
      expected.append((bytes, .compressed(codec)))
      if codec == .zstd { expected.append((Samples.joined([Self.foreign, bytes]), .compressed(codec))) }
    }
    expected.append((Samples.joined([Self.foreign, encoder.encode(batch).bytes]), .frames))
    for (bytes, format) in expected {
      #expect(InputFormat.detect(bytes, isWhole: true) == format)
      for count in 0..<min(bytes.byteCount, 40) {
        let early = InputFormat.detect(bytes.slice(0..<count), isWhole: false)
        #expect(early == nil || early == format)
      }
      let prefix = bytes.slice(0..<min(bytes.byteCount, InputFormat.prefixByteCount))
      if !prefix.isEmpty, prefix.byteCount > 1 { #expect(InputFormat.detect(prefix, isWhole: false) != nil) }
    }
  }

  /// A skippable frame such as other tools write.
  static let foreign = Buffer([0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3] as [UInt8])
}
