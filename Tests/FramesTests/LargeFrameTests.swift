import Arrow
import Buffers
import Foundation
import Frames
import TestSupport
import Testing

/// Stored frames of many blocks, whose content the reader has the system put together.
@Suite struct LargeFrameTests {
  private static let encoder = FrameEncoder(compression: .stored)

  private static func batch(_ seed: UInt64) -> RecordBatch { Samples.batch(rows: 20_000, seed: seed) }

  /// A pipe through which `bytes` come in pieces.
  private func pipe(of bytes: Buffer, pieceByteCount: Int = 1 << 20) -> TestPipe {
    let pipe = TestPipe()
    let writeEnd = pipe.writeEnd
    Thread.detachNewThread {
      var position = 0
      while position < bytes.byteCount {
        let piece = bytes.slice(position..<min(position + pieceByteCount, bytes.byteCount))
        let written = unsafe piece.withUnsafeBytes { unsafe write(writeEnd, $0.baseAddress, $0.count) }
        guard written > 0 else { break }
        position += written
      }
      close(writeEnd)
    }
    return pipe
  }

  @Test(arguments: [999, 65_537, 131_075, 1 << 20]) func framesComeThroughPipesAsTheyAre(pieceByteCount: Int) throws {
    let parts = [
      Self.encoder.encode(Self.batch(1)).bytes, Self.encoder.encode(.watermark(7)).bytes,
      Self.encoder.encode(Samples.batch(rows: 3, seed: 2)).bytes, Self.encoder.encode(Self.batch(3)).bytes,
    ]
    #expect(parts[0].byteCount > 2 << 17)
    let pipe = self.pipe(of: Samples.joined(parts), pieceByteCount: pieceByteCount)
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    var byteOffset = 0
    for part in parts {
      let frame = try #require(try reader.next())
      #expect(frame.bytes == part && frame.byteCount == part.byteCount && frame.byteOffset == byteOffset)
      if case .data(_, let batches) = try frame.decode(), batches[0].rowCount > 3 {
        #expect(batches[0].row(at: 19_999) == Self.batch(byteOffset == 0 ? 1 : 3).row(at: 19_999))
      }
      byteOffset += part.byteCount
    }
    let end = try reader.next()
    #expect(end == nil)
    withExtendedLifetime(pipe) {}
  }

  /// The content of `frame` in blocks of `size` bytes after a first one that is full.
  private func recut(_ frame: Buffer, size: Int) throws -> Buffer {
    var splitter = FrameSplitter(over: frame)
    let content = try #require(try splitter.next()).content()
    var output = BufferBuilder()
    output.append(frame.slice(0..<9))
    var position = 0
    while position < content.byteCount {
      let block = content.slice(position..<min(position + (position == 0 ? 131_072 : size), content.byteCount))
      position += block.byteCount
      let header = UInt32(block.byteCount) << 3 | (position == content.byteCount ? 1 : 0)
      output.append(UInt16(truncatingIfNeeded: header))
      output.append(UInt8(header >> 16))
      output.append(block)
    }
    output.append(frame.slice(frame.byteCount - 4..<frame.byteCount))
    return output.finish()
  }

  @Test(arguments: [100_000, 131_071]) func framesOfOtherBlocksAreRead(size: Int) throws {
    let whole = Self.encoder.encode(Self.batch(4)).bytes
    let foreign = try recut(whole, size: size)
    let pipe = self.pipe(of: Samples.joined([foreign, whole]))
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    for bytes in [foreign, whole] {
      let frame = try #require(try reader.next())
      #expect(frame.bytes == bytes)
      guard case .data(_, let batches) = try frame.decode() else { continue }
      #expect(batches[0].row(at: 1_234) == Self.batch(4).row(at: 1_234))
    }
    withExtendedLifetime(pipe) {}
  }

  @Test(arguments: [20_000, 140_000, 300_000]) func aFrameCutShortIsAnError(byteCount: Int) throws {
    let whole = Self.encoder.encode(Self.batch(5)).bytes
    let pipe = self.pipe(of: Samples.joined([whole, whole.slice(0..<byteCount)]))
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    _ = try #require(try reader.next())
    do throws(FrameError) {
      _ = try reader.next()
      Issue.record("no error")
    } catch {
      #expect(error.reason == .truncated(found: byteCount) && error.byteOffset == whole.byteCount)
    }
    withExtendedLifetime(pipe) {}
  }

  @Test func aFlippedBitIsFound() throws {
    var bytes = BufferBuilder()
    bytes.append(Self.encoder.encode(Self.batch(6)).bytes)
    bytes.overwrite(UInt8(bytes.bytes.unsafeByte(200_000) ^ 4), atByteOffset: 200_000)
    let pipe = self.pipe(of: bytes.finish())
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    let frame = try #require(try reader.next())
    do throws(FrameError) {
      _ = try frame.decode()
      Issue.record("no error")
    } catch {
      #expect(error.reason == .checksum)
    }
    withExtendedLifetime(pipe) {}
  }
}

extension RawSpan {
  fileprivate func unsafeByte(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
