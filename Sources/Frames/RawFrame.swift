import Arrow
import Buffers

/// What a frame holds.
public enum Frame: Sendable {
  /// One Arrow stream: a schema and batches of it.
  case data(Schema, [RecordBatch])
  case control(Control)
}

/// A whole frame as it lies in the stream, not yet decoded.
public struct RawFrame: Sendable {
  private enum Body {
    case whole(Buffer)
    /// With the content apart.
    case stored(StoredFrameBytes)
  }

  private let body: Body
  /// Where it begins in the stream.
  public let byteOffset: Int
  /// Nil for control frames.
  private let header: FrameHeader?
  private let isStored: Bool
  /// No more content than this can come out of its blocks.
  private let contentBound: Int

  init(_ bytes: Buffer, byteOffset: Int, scan: FrameScan) {
    body = .whole(bytes)
    self.byteOffset = byteOffset
    header = scan.header
    isStored = scan.isStored
    contentBound = scan.contentBound
  }

  init(_ parts: StoredFrameBytes, byteOffset: Int) {
    body = .stored(parts)
    self.byteOffset = byteOffset
    header = parts.layout.header
    isStored = true
    contentBound = parts.content.byteCount
  }

  /// The frame as it came.
  public var bytes: Buffer {
    switch body {
    case .whole(let bytes): bytes
    case .stored(let parts): parts.joined()
    }
  }

  public var byteCount: Int {
    switch body {
    case .whole(let bytes): bytes.byteCount
    case .stored(let parts): parts.byteCount
    }
  }

  public var isControl: Bool { header == nil }

  /// - Parameters:
  ///   - maximumContent: the most bytes of content, and of memory beyond it, that decoding may take.
  ///   - validatesText: whether utf8 values are checked; without it they are taken at their word.
  public func decode(
    maximumContent: Int = FrameSplitter.defaultMaximumContent, validatesText: Bool = false
  ) throws(FrameError) -> Frame {
    if isControl { return .control(try control()) }
    let content = try content(maximumContent: maximumContent)
    let options = IPCDecodingOptions(
      validatesText: validatesText, maximumByteCount: maximumContent, decompress: BufferCodecs.decompress)
    do throws(IPCError) {
      let (schema, batches) = try IPCStreamDecoder.decode(content, options: options)
      return .data(schema, batches)
    } catch {
      throw failure(.stream(error))
    }
  }

  /// What a control frame says.
  /// - Precondition: it is one.
  public func control() throws(FrameError) -> Control {
    precondition(isControl, "a data frame is no control frame")
    let bytes = bytes
    do throws(ControlError) {
      return try Control(parsing: bytes.slice(8..<bytes.byteCount))
    } catch {
      throw failure(.malformedControl(error.what))
    }
  }

  /// The content of a data frame.
  /// - Precondition: it is one.
  public func content(maximumContent: Int = FrameSplitter.defaultMaximumContent) throws(FrameError) -> Buffer {
    guard let header else { preconditionFailure("a control frame has no content") }
    let stated = header.contentByteCount ?? contentBound
    guard stated <= maximumContent || header.contentByteCount == nil else {
      throw failure(.contentTooLarge(limit: maximumContent))
    }
    guard stated <= contentBound else { throw failure(.contentByteCount(stated: stated, found: contentBound)) }
    if case .stored(let parts) = body {
      guard parts.hasRightChecksum else { throw failure(.checksum) }
      return parts.content
    }
    if isStored { return try storedContent(header, maximumContent) }
    return try compressedContent(header, capacity: min(stated, maximumContent), maximumContent)
  }

  /// Copies the raw blocks together, block headers left out.
  private func storedContent(_ header: FrameHeader, _ maximumContent: Int) throws(FrameError) -> Buffer {
    guard contentBound <= maximumContent else { throw failure(.contentTooLarge(limit: maximumContent)) }
    if let stated = header.contentByteCount, stated != contentBound {
      throw failure(.contentByteCount(stated: stated, found: contentBound))
    }
    var content = BufferBuilder(capacity: contentBound)
    var hash = XXHash64()
    var position = header.byteCount
    let whole = bytes
    let frame = whole.bytes
    while content.byteCount < contentBound {
      let size = Int(frame.integer(at: position, byteCount: BlockHeader.byteCount) >> 3)
      position += BlockHeader.byteCount
      let block = frame.extracting(position..<position + size)
      content.append(block)
      if header.hasChecksum { hash.update(block) }
      position += size
    }
    if header.hasChecksum {
      let stated = frame.integer(at: frame.byteCount - 4, byteCount: 4)
      guard hash.digest() & 0xFFFF_FFFF == stated else { throw failure(.checksum) }
    }
    return content.finish()
  }

  private func compressedContent(
    _ header: FrameHeader, capacity: Int, _ maximumContent: Int
  ) throws(FrameError) -> Buffer {
    do throws(ZstdError) {
      return try Zstd.decompress(bytes, capacity: capacity)
    } catch {
      if error.isOutOfRoom, header.contentByteCount == nil { throw failure(.contentTooLarge(limit: maximumContent)) }
      throw failure(error.isChecksum ? .checksum : .corrupt(codec: "zstd", message: error.message))
    }
  }

  private func failure(_ reason: FrameError.Reason) -> FrameError { FrameError(reason, byteOffset: byteOffset) }
}
