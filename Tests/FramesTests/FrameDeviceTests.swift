import Arrow
import Buffers
import Foundation
import Frames
import JSONText
import TestSupport
import Testing

@Suite struct FrameDeviceTests {
  @Test func aPipeCarriesStoredFrames() throws {
    let pipe = TestPipe()
    let batches = (0..<20).map { Samples.batch(rows: 5_000, seed: UInt64($0)) }
    let writeEnd = pipe.writeEnd
    Thread.detachNewThread {
      do {
        var writer = FrameWriter(fileDescriptor: writeEnd)
        #expect(writer.encoder.compression == .stored)
        for batch in batches { try writer.write(batch) }
        try writer.write(.watermark(5))
        try writer.finish()
      } catch {
        Issue.record(error)
      }
      close(writeEnd)
    }
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    var count = 0
    while let (frame, _) = try reader.nextFrame() {
      guard case .data(_, let found) = frame else { continue }
      #expect(found[0].row(at: 77) == batches[count].row(at: 77))
      count += 1
    }
    let isComplete = reader.isComplete
    #expect(count == 20 && isComplete)
  }

  @Test func aFileIsCompressedAndReadBack() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/x.frames"
    let file = unsafe open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(file) }
    let batch = Samples.batch(rows: 10_000, seed: 3)
    var writer = FrameWriter(fileDescriptor: file)
    #expect(writer.encoder.compression == .level(3))
    try writer.write(batch)
    try writer.finish()
    lseek(file, 0, SEEK_SET)
    var reader = FrameReader(fileDescriptor: file)
    guard case .data(_, let found) = try reader.nextFrame()?.frame else {
      Issue.record("no data")
      return
    }
    #expect(found[0].allRows == batch.allRows)
    while try reader.nextFrame() != nil {}
    let isComplete = reader.isComplete
    #expect(isComplete)
  }

  @Test func whatWasReadToTellTheFormatIsNotLost() throws {
    let pipe = TestPipe()
    let (bytes, batches) = Samples.stream(.stored)
    let writeEnd = pipe.writeEnd
    Thread.detachNewThread {
      _ = unsafe bytes.slice(700..<bytes.byteCount).withUnsafeBytes { unsafe write(writeEnd, $0.baseAddress, $0.count) }
      close(writeEnd)
    }
    var reader = FrameReader(prefix: bytes.slice(0..<700), fileDescriptor: pipe.readEnd)
    var rows: [JSONValue] = []
    while let (frame, _) = try reader.nextFrame() {
      if case .data(_, let found) = frame { rows += found.flatMap(\.allRows) }
    }
    let (isComplete, byteCount) = (reader.isComplete, reader.byteCount)
    #expect(rows == batches.flatMap(\.allRows) && isComplete && byteCount == bytes.byteCount)
  }

  @Test func aReaderThatLeavesIsABrokenPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    var writer = FrameWriter(fileDescriptor: ends[1])
    do {
      try writer.write(Samples.batch(rows: 10, seed: 1))
      Issue.record("nothing thrown")
    } catch {
      #expect(error == FrameError(.brokenPipe, byteOffset: 0))
    }
  }

  @Test func aWriterThatDiesLeavesTheStreamIncomplete() throws {
    let pipe = TestPipe()
    do {
      var writer = FrameWriter(fileDescriptor: pipe.writeEnd)
      try writer.write(Samples.batch(rows: 10, seed: 1))
    }
    close(pipe.writeEnd)
    var reader = FrameReader(fileDescriptor: pipe.readEnd)
    #expect(try reader.nextFrame() != nil)
    #expect(try reader.nextFrame() == nil)
    let isComplete = reader.isComplete
    #expect(!isComplete)
  }
}
