import Arrow
import Glibc

/// What is wrong with a stream of frames, or with the device that it is read from or written to.
public struct FrameError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The input ends inside a frame of which `found` bytes are there.
    case truncated(found: Int)
    /// Four bytes that begin no frame, the first in the lowest bits.
    case notAFrame(magic: UInt32)
    case malformedHeader
    case malformedBlock
    /// The content is, or claims to be, larger than allowed.
    case contentTooLarge(limit: Int)
    case contentByteCount(stated: Int, found: Int)
    case checksum
    /// What the codec's library says.
    case corrupt(codec: String, message: String)
    case stream(IPCError)
    case malformedControl(String)
    /// The stream's own count at its end differs from what was read.
    case endCount(statedFrames: Int, statedRows: Int, frames: Int, rows: Int)
    /// The reader at the other end of a pipe has left.
    case brokenPipe
    case system(call: String, code: Int32)
  }

  public var reason: Reason
  /// Where in the input: the first byte of the frame, or of the compressed bytes, at fault.
  public var byteOffset: Int

  public init(_ reason: Reason, byteOffset: Int) {
    self.reason = reason
    self.byteOffset = byteOffset
  }

  public var description: String { "byte \(byteOffset): \(reason)" }
}

extension FrameError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let found): "the input ends \(found) bytes into a frame; its writer died or the file is cut short"
    case .notAFrame(let magic): "no frame begins here but 0x\(String(magic, radix: 16)); the stream is damaged"
    case .malformedHeader: "the frame's header is malformed"
    case .malformedBlock: "a block of the frame is malformed"
    case .contentTooLarge(let limit): "the frame holds more than \(limit) bytes; raise --max-frame to read it"
    case .contentByteCount(let stated, let found): "the frame holds \(found) bytes where it states \(stated)"
    case .checksum: "the frame's checksum does not match its content"
    case .corrupt(let codec, let message): "the \(codec) data is corrupt: \(message)"
    case .stream(let error): "the frame's Arrow stream: \(error)"
    case .malformedControl(let what): "the control frame is malformed: \(what)"
    case .endCount(let statedFrames, let statedRows, let frames, let rows):
      "the end states \(statedFrames) frames of \(statedRows) rows, but \(frames) of \(rows) came"
    case .brokenPipe: "the reader of the pipe has left"
    case .system(let call, let code): "\(call): \(unsafe String(cString: strerror(code)))"
    }
  }
}
