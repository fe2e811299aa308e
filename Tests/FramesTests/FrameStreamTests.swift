import Arrow
import Buffers
import Frames
import Glibc
import JSONText
import TestSupport
import Testing

/// A pipe or a file whose ends tests write and read.
final class TestPipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() {
    var ends: [Int32] = [0, 0]
    precondition(unsafe pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit { close(readEnd) }
}

/// Streams of frames that tests read, cut and damage.
enum Samples {
  static let schema = Schema(
    [Field("user_id", .int64), Field("type", .utf8), Field("tags", .list(Field("item", .utf8)))],
    metadata: ["seq.kind": "event"])

  static func batch(rows: Int, seed: UInt64) -> RecordBatch {
    var random = SeededRandom(seed: seed)
    return RecordBatch(schema, schema.fields.map { random.array($0.type, count: rows) })
  }

  /// Two data frames with controls between, complete.
  static func stream(_ compression: FrameCompression, rows: Int = 20) -> (bytes: Buffer, batches: [RecordBatch]) {
    let encoder = FrameEncoder(compression: compression)
    let batches = [batch(rows: rows, seed: 1), batch(rows: rows * 2, seed: 2)]
    var bytes = BufferBuilder()
    bytes.append(encoder.encode(batches[0]).bytes)
    bytes.append(encoder.encode(.position(source: "log", partition: 3, offset: 77)).bytes)
    bytes.append(encoder.encode(batches[1]).bytes)
    bytes.append(encoder.encode(.end(frames: 2, rows: rows * 3)).bytes)
    return (bytes.finish(), batches)
  }

  static func joined(_ parts: [Buffer]) -> Buffer {
    var builder = BufferBuilder()
    for part in parts { builder.append(part) }
    return builder.take()
  }

  /// What a reader of `bytes` gets, and how it ends.
  static func read(_ bytes: Buffer, pieceByteCount: Int = .max) -> (
    rows: [JSONValue], isComplete: Bool, error: FrameError?
  ) {
    var splitter = FrameSplitter()
    var account = StreamAccount()
    var rows: [JSONValue] = []
    do throws(FrameError) {
      var start = 0
      while start < bytes.byteCount {
        let end = min(
          bytes.byteCount, start.addingReportingOverflow(pieceByteCount).overflow ? .max : start + pieceByteCount)
        splitter.push(bytes.slice(start..<end))
        start = end
        while let raw = try splitter.next() {
          let frame = try raw.decode()
          try account.add(frame, byteOffset: raw.byteOffset)
          if case .data(_, let batches) = frame { rows += batches.flatMap(\.allRows) }
        }
      }
      try splitter.finish()
      return (rows, account.isComplete, nil)
    } catch {
      return (rows, account.isComplete, error)
    }
  }
}

@Suite struct FrameStreamTests {
  static let compressions: [FrameCompression] = [.stored, .level(1), .level(3)]

  @Test(arguments: compressions, [1, 3, 17, 1_000, Int.max])
  func aStreamIsReadInPiecesOfAnySize(compression: FrameCompression, pieceByteCount: Int) {
    let (bytes, batches) = Samples.stream(compression)
    let (rows, isComplete, error) = Samples.read(bytes, pieceByteCount: pieceByteCount)
    #expect(rows == batches.flatMap(\.allRows))
    #expect(isComplete && error == nil)
  }

  @Test(arguments: compressions) func framesOfManyBlocksSurvive(compression: FrameCompression) throws {
    let batch = Samples.batch(rows: 50_000, seed: 5)
    let encoded = FrameEncoder(compression: compression).encode(batch)
    #expect(encoded.rowCount == 50_000)
    var splitter = FrameSplitter()
    splitter.push(encoded.bytes)
    let frame = try #require(try splitter.next())
    guard case .data(let schema, let batches) = try frame.decode(validatesText: true) else {
      Issue.record("no data")
      return
    }
    #expect(schema == Samples.schema)
    #expect(batches.count == 1 && batches[0].rowCount == 50_000)
    for row in stride(from: 0, to: 50_000, by: 997) { #expect(batches[0].row(at: row) == batch.row(at: row)) }
  }

  @Test(
    arguments: [
      .position(source: "a b", partition: nil, offset: 0), .position(source: "ö", partition: 7, offset: .max),
      .watermark(-5), .end(frames: 0, rows: 0), .other(["later": [1, 2]]),
    ] as [Control])
  func controlsSurvive(control: Control) throws {
    var splitter = FrameSplitter()
    splitter.push(FrameEncoder(compression: .stored).encode(control).bytes)
    let frame = try #require(try splitter.next())
    #expect(frame.isControl)
    #expect(try frame.control() == control)
  }

  @Test(arguments: compressions) func aStreamCutAnywhereGivesWhatCameBeforeAndAnError(compression: FrameCompression) {
    let (bytes, batches) = Samples.stream(compression, rows: 3)
    let whole = batches.flatMap(\.allRows)
    for end in 1..<bytes.byteCount {
      let (rows, isComplete, error) = Samples.read(bytes.slice(0..<end))
      #expect(rows == Array(whole.prefix(rows.count)) && !isComplete)
      if let error {
        guard case .truncated(let found) = error.reason else {
          Issue.record("cut at \(end): \(error)")
          return
        }
        #expect(error.byteOffset + found == end)
      }
    }
  }

  @Test(arguments: compressions) func aFlippedBitNeverPassesForData(compression: FrameCompression) {
    let (bytes, batches) = Samples.stream(compression, rows: 3)
    let whole = batches.flatMap(\.allRows)
    for index in 0..<bytes.byteCount {
      var builder = BufferBuilder(capacity: bytes.byteCount)
      builder.append(bytes)
      builder.overwrite(bytes.load(index, as: UInt8.self) ^ UInt8(1 << (index % 8)), atByteOffset: index)
      let (rows, isComplete, error) = Samples.read(builder.finish())
      // A damaged control or skippable frame may pass for another; rows may not.
      #expect(error != nil || rows == whole || !isComplete)
    }
  }

  @Test func concatenatedStreamsAreComplete() {
    let (bytes, batches) = Samples.stream(.stored)
    let (others, otherBatches) = Samples.stream(.level(3), rows: 5)
    var both = BufferBuilder()
    both.append(bytes)
    both.append(others)
    let (rows, isComplete, error) = Samples.read(both.finish())
    #expect(rows == (batches + otherBatches).flatMap(\.allRows) && isComplete && error == nil)
  }

  @Test func anEndWithOtherCountsIsAnError() {
    let encoder = FrameEncoder(compression: .stored)
    var bytes = BufferBuilder()
    bytes.append(encoder.encode(Samples.batch(rows: 3, seed: 1)).bytes)
    let offset = bytes.byteCount
    bytes.append(encoder.encode(.end(frames: 1, rows: 4)).bytes)
    let error = Samples.read(bytes.finish()).error
    #expect(error == FrameError(.endCount(statedFrames: 1, statedRows: 4, frames: 1, rows: 3), byteOffset: offset))
  }

  @Test func anEmptyInputIsNotComplete() {
    let (rows, isComplete, error) = Samples.read(.empty)
    #expect(rows.isEmpty && !isComplete && error == nil)
  }
}
