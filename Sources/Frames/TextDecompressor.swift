import Buffers
import CZlib
import CZstd

/// How text is compressed.
public enum TextCodec: String, Hashable, Sendable {
  case gzip, zstd
}

/// Decompresses text that arrives in pieces: gzip of any number of members, zstd of any number of frames.
///
/// Push a piece, pull until nothing comes, push the next; `finish()` tells whether the input ended well.
public struct TextDecompressor: ~Copyable {
  private var state: any TextInflater
  private var input = Buffer.empty
  private var inputPosition = 0
  /// Whether the last pull gave as much as it might: the codec may hold more text of the piece.
  private var isFull = false
  /// How many compressed bytes were used so far.
  public private(set) var byteOffset = 0
  private let codec: TextCodec

  public init(_ codec: TextCodec) {
    self.codec = codec
    state = codec == .gzip ? GzipInflater() : ZstdInflater()
  }

  /// Adds compressed bytes.
  /// - Precondition: all that came before was pulled.
  public mutating func push(_ bytes: Buffer) {
    precondition(inputPosition == input.byteCount, "the piece before is not used up")
    (input, inputPosition) = (bytes, 0)
  }

  /// Whether a pull gives text, or is needed to tell that none is left of the piece.
  public var mayHoldText: Bool { inputPosition < input.byteCount || isFull }

  /// Appends up to `limit` bytes of text.
  /// - Returns: how many; 0 when the piece is used up.
  /// - Throws: `.corrupt`, after all text before the damage.
  public mutating func pull(into text: inout BufferBuilder, limit: Int = 1 << 20) throws(FrameError) -> Int {
    let rest = input.slice(inputPosition..<input.byteCount)
    let before = text.byteCount
    let used: Int
    do throws(InflateError) {
      used = try state.inflate(rest, into: &text, limit: limit)
    } catch {
      throw FrameError(.corrupt(codec: codec.rawValue, message: error.message), byteOffset: byteOffset + error.used)
    }
    inputPosition += used
    byteOffset += used
    isFull = text.byteCount - before == limit
    return text.byteCount - before
  }

  /// Ends the input.
  /// - Throws: `.truncated` when it ended inside a gzip member or zstd frame.
  public borrowing func finish() throws(FrameError) {
    if let found = state.unfinishedByteCount {
      throw FrameError(.truncated(found: found), byteOffset: byteOffset - found)
    }
  }
}

struct InflateError: Error {
  let message: String
  /// Compressed bytes used before the damage was noticed.
  let used: Int
}

/// One codec's streaming decompression.
protocol TextInflater: AnyObject {
  /// Appends up to `limit` bytes of text; none only when `input` is used up.
  /// - Returns: how many compressed bytes were used.
  func inflate(_ input: Buffer, into text: inout BufferBuilder, limit: Int) throws(InflateError) -> Int
  /// How many bytes of an unfinished member or frame were used; nil between them.
  var unfinishedByteCount: Int? { get }
}

/// zlib, which keeps a pointer to its state, so that the state may not move.
@safe final class GzipInflater: TextInflater {
  // SAFETY: this object alone owns the memory, from `init` to `deinit`.
  private let stream: UnsafeMutablePointer<z_stream>
  private var memberByteCount = 0
  private var isInMember = false
  private var hasMember = false
  /// Whether text is left that the room given last was too small for.
  private var holdsText = false

  init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 bits of window; 16 more for the gzip header and checksum.
    let result = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "zlib cannot start: \(result)")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  var unfinishedByteCount: Int? { isInMember ? memberByteCount : nil }

  func inflate(_ input: Buffer, into text: inout BufferBuilder, limit: Int) throws(InflateError) -> Int {
    var used = 0
    var written = 0
    while used < input.byteCount || holdsText, written == 0 {
      if !isInMember, skipPadding(input, &used) { continue }
      try begin()
      try unsafe text.appendUnsafely(capacity: limit) { room throws(InflateError) in
        let rest = input.slice(used..<input.byteCount)
        written = try unsafe step(rest, room, &used)
        return written
      }
    }
    return used
  }

  /// Passes over a zero byte after a member, with which tapes and disks are filled up.
  private func skipPadding(_ input: Buffer, _ used: inout Int) -> Bool {
    guard hasMember, input.load(used, as: UInt8.self) == 0 else { return false }
    used += 1
    return true
  }

  private func begin() throws(InflateError) {
    if isInMember { return }
    (isInMember, hasMember, memberByteCount) = (true, true, 0)
    unsafe inflateReset(stream)
  }

  private func step(
    _ input: Buffer, _ room: UnsafeMutableRawBufferPointer, _ used: inout Int
  ) throws(InflateError) -> Int {
    let available = min(input.byteCount, 1 << 30)
    let result = unsafe input.withUnsafeBytes { source in
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: source.baseAddress!.assumingMemoryBound(to: UInt8.self))
      unsafe stream.pointee.avail_in = UInt32(available)
      unsafe stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
      unsafe stream.pointee.avail_out = UInt32(min(room.count, 1 << 30))
      return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
    }
    let taken = available - Int(unsafe stream.pointee.avail_in)
    used += taken
    memberByteCount += taken
    switch result {
    case Z_STREAM_END: isInMember = false
    case Z_OK, Z_BUF_ERROR: break
    default:
      let message = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
      throw InflateError(message: message ?? "zlib error \(result)", used: used)
    }
    holdsText = isInMember && (unsafe stream.pointee.avail_out) == 0
    return min(room.count, 1 << 30) - Int(unsafe stream.pointee.avail_out)
  }
}

/// libzstd, which also passes over skippable frames.
@safe final class ZstdInflater: TextInflater {
  // SAFETY: this object alone owns the context, from `init` to `deinit`.
  private let stream: OpaquePointer
  private var frameByteCount = 0
  private var isInFrame = false

  init() {
    guard let stream = unsafe ZSTD_createDStream() else { fatalError("out of memory for a zstd context") }
    unsafe self.stream = unsafe stream
  }

  deinit { unsafe ZSTD_freeDStream(stream) }

  var unfinishedByteCount: Int? { isInFrame ? frameByteCount : nil }

  func inflate(_ input: Buffer, into text: inout BufferBuilder, limit: Int) throws(InflateError) -> Int {
    var used = 0
    var written = 0
    while written == 0 {
      let before = used
      try unsafe text.appendUnsafely(capacity: limit) { room throws(InflateError) in
        written = try unsafe step(input, room, &used)
        return written
      }
      if used == before, written == 0 { break }
    }
    return used
  }

  private func step(
    _ input: Buffer, _ room: UnsafeMutableRawBufferPointer, _ used: inout Int
  ) throws(InflateError) -> Int {
    let (result, position, written) = unsafe input.withUnsafeBytes { source in
      var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: used)
      var output = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
      let result = unsafe ZSTD_decompressStream(stream, &output, &input)
      return unsafe (result, input.pos, output.pos)
    }
    if ZSTD_isError(result) != 0 { throw InflateError(message: ZstdError(result).message, used: position) }
    frameByteCount += position - used
    if position > used || written > 0 { isInFrame = result != 0 }
    if !isInFrame { frameByteCount = 0 }
    used = position
    return written
  }
}
