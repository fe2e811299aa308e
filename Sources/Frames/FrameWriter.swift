import Arrow
import Buffers

/// Writes a stream of frames to a file descriptor, which stays the caller's.
///
/// A stream that is dropped without `finish()` lacks its end, and its reader will say so.
public struct FrameWriter: ~Copyable {
  public let encoder: FrameEncoder
  private let device: Device
  private var frameCount = 0
  private var rowCount = 0
  /// How many bytes were written.
  public private(set) var byteCount = 0

  /// - Parameter compression: nil chooses: level 3 into a file, stored into pipes and whatever else keeps no bytes.
  public init(fileDescriptor: Int32, compression: FrameCompression? = nil) {
    device = Device(fileDescriptor)
    device.enlargePipe()
    encoder = FrameEncoder(compression: compression ?? (device.isRegularFile ? .level(3) : .stored))
  }

  public mutating func write(_ batch: RecordBatch) throws(FrameError) { try write(encoder.encode(batch)) }

  public mutating func write(_ control: Control) throws(FrameError) { try write(encoder.encode(control)) }

  /// Writes a frame that another thread may have encoded.
  /// - Throws: `.brokenPipe` when nobody reads any more; `.system`.
  public mutating func write(_ frame: EncodedFrame) throws(FrameError) {
    try device.write(frame.pieces, byteOffset: byteCount)
    byteCount += frame.byteCount
    guard let rows = frame.rowCount else { return }
    frameCount += 1
    rowCount += rows
  }

  /// Marks the stream as complete.
  public consuming func finish() throws(FrameError) {
    try write(.end(frames: frameCount, rows: rowCount))
  }
}
