import Buffers
import Engine
import Frames
import Glibc

/// The frames of a segment of a live log, or of a part of one that begins and ends between frames.
struct SegmentFrames: ~Copyable {
  private let path: String
  private let startByteOffset: Int
  private var splitter: FrameSplitter

  /// - Parameter bytes: what lies at `byteOffset` and after it, as far as it is durable.
  init(_ bytes: Buffer, path: String, byteOffset: Int = 0) {
    self.path = path
    startByteOffset = byteOffset
    splitter = FrameSplitter(over: bytes)
  }

  /// The frames of a segment; nil when it is not there any more, because tables cover it.
  ///
  /// - Parameter byteCount: how much of it is durable; nil: all.
  static func open(
    _ number: UInt64, of live: LiveDirectory, byteCount: UInt64? = nil
  ) throws(StoreError) -> SegmentFrames? {
    let path = live.segment(number)
    let bytes: Buffer
    do { bytes = try Buffer(mapping: path) } catch {
      if error.code == ENOENT { return nil }
      throw .system(SystemError("read", path, code: error.code))
    }
    let durable = byteCount.map { Int(clamping: $0) } ?? bytes.byteCount
    guard durable <= bytes.byteCount else {
      throw .damaged(path: path, what: "it has \(bytes.byteCount) bytes where \(durable) were synced")
    }
    return SegmentFrames(bytes.slice(0..<durable), path: path)
  }

  /// The next frame; nil at the end.
  mutating func next() throws(StoreError) -> RawFrame? {
    do throws(FrameError) {
      if let frame = try splitter.next() { return frame }
      try splitter.finish()
      return nil
    } catch {
      throw failure(error)
    }
  }

  /// What is wrong with a frame of this segment.
  func failure(_ error: FrameError) -> StoreError {
    .damaged(path: path, what: "byte \(startByteOffset + error.byteOffset): \(error.reason)")
  }
}
