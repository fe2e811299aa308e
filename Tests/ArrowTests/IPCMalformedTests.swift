import Arrow
import Buffers
import TestSupport
import Testing

@Suite struct IPCMalformedTests {
  /// A stream with every layout, small enough to be damaged in every byte.
  static let stream: Buffer = {
    var random = SeededRandom(seed: 1)
    let schema = Schema(
      SeededRandom.allTypes.enumerated().map { Field("f\($0)", $1) }, metadata: ["seq.kind": "event"])
    let batch = RecordBatch(schema, schema.fields.map { random.array($0.type, count: 9) })
    return IPCStreamEncoder.encode(schema: schema, batches: [batch])
  }()

  /// Decodes and reads what was decoded; nil when it is refused.
  private func read(_ stream: Buffer) -> Int? {
    let options = IPCDecodingOptions(maximumByteCount: 1 << 20)
    guard let (_, batches) = try? IPCStreamDecoder.decode(stream, options: options) else { return nil }
    var seen = 0
    for batch in batches {
      for column in batch.columns {
        for row in 0..<min(column.count, 20) where column.range(of: row).count < 1_000 {
          seen += column.value(at: row) == .null ? 0 : 1
        }
      }
    }
    return seen
  }

  @Test func aStreamCutShortAnywhereIsRefusedOrShorter() throws {
    let whole = try #require(read(Self.stream))
    for end in stride(from: 0, to: Self.stream.byteCount, by: 13) {
      let seen = read(Self.stream.slice(0..<end))
      #expect(seen == nil || seen == 0 || seen == whole)
    }
  }

  @Test(arguments: 0..<8) func aFlippedBitIsRefusedOrRead(bit: Int) {
    for index in stride(from: bit, to: Self.stream.byteCount, by: 37) {
      _ = read(changed(at: index, to: Self.stream.load(index, as: UInt8.self) ^ (1 << UInt8(bit))))
    }
  }

  @Test(arguments: [0, 0x7F, 0x80, 0xFF] as [UInt8]) func aByteReplacedIsRefusedOrRead(byte: UInt8) {
    for index in stride(from: Int(byte % 11), to: Self.stream.byteCount, by: 11) {
      _ = read(changed(at: index, to: byte))
    }
  }

  @Test func randomBytesAreRefused() {
    var random = SeededRandom(seed: 3)
    for count in 1..<300 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(read(Buffer(bytes)) == nil)
    }
  }

  @Test func errorsNameThePlace() throws {
    let error = #expect(throws: IPCError.self) {
      try IPCStreamDecoder.decode(Self.stream.slice(0..<Self.stream.byteCount - 9))
    }
    #expect(error?.byteOffset == Self.stream.byteCount - 9)
    #expect(error.map { "\($0)".hasPrefix("byte \(Self.stream.byteCount - 9): the stream is cut short") } == true)
  }

  @Test func bytesAfterTheEndAreRefused() throws {
    var builder = BufferBuilder()
    builder.append(IPCStreamEncoder.encode(schema: Schema([]), batches: []))
    builder.append(UInt64(0))
    let stream = builder.finish()
    let error = #expect(throws: IPCError.self) { try IPCStreamDecoder.decode(stream) }
    guard case .trailingBytes = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  private func changed(at index: Int, to byte: UInt8) -> Buffer {
    var builder = BufferBuilder(capacity: Self.stream.byteCount)
    builder.append(Self.stream)
    builder.overwrite(byte, atByteOffset: index)
    return builder.finish()
  }
}

extension ArrowArray {
  /// How many elements a list has; none for other types.
  fileprivate func range(of row: Int) -> Range<Int> {
    switch storage {
    case .list: range(row)
    case .fixedSizeList: range(row)
    default: 0..<0
    }
  }
}
