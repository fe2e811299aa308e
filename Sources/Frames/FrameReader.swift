import Arrow
import Buffers

/// Counts the frames and rows of a stream in order, and checks them against its ends.
///
/// Streams may follow each other (`cat a b`): counts begin anew after each end.
public struct StreamAccount: Sendable {
  private var frameCount = 0
  private var rowCount = 0
  /// Whether the stream is complete: nothing came after its last end.
  public private(set) var isComplete = false

  public init() {}

  /// - Throws: `.endCount` when `frame` is an end that states other counts.
  public mutating func add(_ frame: Frame, byteOffset: Int) throws(FrameError) {
    switch frame {
    case .data(_, let batches): addData(rowCount: batches.reduce(0) { $0 + $1.rowCount })
    case .control(let control): try add(control, byteOffset: byteOffset)
    }
  }

  /// Counts a data frame.
  public mutating func addData(rowCount rows: Int) {
    frameCount += 1
    rowCount += rows
    isComplete = false
  }

  public mutating func add(_ control: Control, byteOffset: Int) throws(FrameError) {
    isComplete = false
    guard case .end(let frames, let rows) = control else { return }
    guard frames == frameCount, rows == rowCount else {
      throw FrameError(
        .endCount(statedFrames: frames, statedRows: rows, frames: frameCount, rows: rowCount), byteOffset: byteOffset)
    }
    (frameCount, rowCount, isComplete) = (0, 0, true)
  }
}

/// Reads a stream of frames from a file descriptor, which stays the caller's.
///
/// Either take raw frames with `next()`, decode them elsewhere and count them in a `StreamAccount`; or take decoded
/// frames with `nextFrame()`, which counts by itself.
public struct FrameReader: ~Copyable {
  private let device: Device
  private let maximumContent: Int
  private var splitter: FrameSplitter
  /// The frame in hand, if it is stored and large.
  private var stored: StoredFrameParts?
  private var account = StreamAccount()
  /// How many bytes were read.
  public private(set) var byteCount = 0
  private var isAtEnd = false
  private let mayRead: () -> Bool
  private var failure: FrameError?

  /// - Parameter mayRead: asked before each read, for which it may wait; false ends the stream there, and what was read of
  ///   a frame that is not yet whole is dropped.
  public init(
    fileDescriptor: Int32, maximumContent: Int = FrameSplitter.defaultMaximumContent,
    mayRead: @escaping () -> Bool = { true }
  ) {
    device = Device(fileDescriptor)
    self.mayRead = mayRead
    device.enlargePipe()
    self.maximumContent = maximumContent
    splitter = FrameSplitter(maximumContent: maximumContent)
  }

  /// The same, after `prefix` was read already to tell the input's format.
  public init(
    prefix: Buffer, fileDescriptor: Int32, maximumContent: Int = FrameSplitter.defaultMaximumContent,
    mayRead: @escaping () -> Bool = { true }
  ) {
    self.init(fileDescriptor: fileDescriptor, maximumContent: maximumContent, mayRead: mayRead)
    splitter.push(prefix)
    byteCount = prefix.byteCount
  }

  /// Whether all of the stream came, its end included. Final once `nextFrame()` has answered nil.
  public var isComplete: Bool { account.isComplete }

  /// The next frame; nil at the end of the input. Waits for input.
  /// - Throws: after all frames before it, what is wrong; and again with every further call.
  public mutating func next() throws(FrameError) -> RawFrame? {
    if let failure { throw failure }
    do throws(FrameError) {
      while !isAtEnd {
        if let frame = try nextInHand() { return frame }
        try fill()
      }
      return nil
    } catch {
      failure = error
      throw error
    }
  }

  /// The next frame, decoded, and where it lies; nil at the end of the input.
  public mutating func nextFrame() throws(FrameError) -> (frame: Frame, byteOffset: Int)? {
    guard let raw = try next() else { return nil }
    do throws(FrameError) {
      let frame = try raw.decode(maximumContent: maximumContent)
      try account.add(frame, byteOffset: raw.byteOffset)
      return (frame, raw.byteOffset)
    } catch {
      failure = error
      throw error
    }
  }

  /// The next frame if all of it was read.
  private mutating func nextInHand() throws(FrameError) -> RawFrame? {
    if let parts = stored.take() {
      if parts.isComplete { return splitter.pass(parts.finish()) }
      if parts.isAsExpected {
        stored = consume parts
        return nil
      }
      splitter.push(parts.joined())
    }
    if let frame = try splitter.next() { return frame }
    stored = splitter.takeStoredStart()
    return nil
  }

  private mutating func fill() throws(FrameError) {
    guard mayRead() else {
      isAtEnd = true
      return
    }
    let count = try read()
    byteCount += count
    guard count == 0 else { return }
    if let parts = stored.take() { splitter.push(parts.joined()) }
    try splitter.finish()
    isAtEnd = true
  }

  private mutating func read() throws(FrameError) -> Int {
    let (device, offset) = (device, byteCount)
    if var parts = stored.take() {
      let count = try parts.read(from: device, byteOffset: offset)
      stored = consume parts
      return count
    }
    return try unsafe splitter.push { room throws(FrameError) in
      try unsafe device.read(into: room, byteOffset: offset)
    }
  }
}
