import Buffers
import Engine
import NIOCore
import NIOHTTP1

/// One request on its way to an answer. Belongs to the connection's event loop.
final class HTTPExchange {
  /// Bodies of more bytes are written piece by piece.
  private static let maximumWriteLength = 1 << 20

  private let connection: HTTPConnection
  private let channel: any Channel
  private let service: HTTPService
  private let head: HTTPRequestHead
  private let start = monotonicNanoseconds()
  private var isKept: Bool
  private var isOver = false
  /// Bytes of the body that were written.
  private var byteCount = 0
  private var route = "unknown"
  private var sequence: String?
  private var status = 0

  /// Who was let in.
  var caller: Gate.Caller?
  /// Why nobody was.
  var refusal: Gate.Refusal?

  init(_ head: HTTPRequestHead, on connection: HTTPConnection, channel: any Channel, service: HTTPService) {
    self.head = head
    self.connection = connection
    self.channel = channel
    self.service = service
    isKept = head.isKeepAlive
  }

  /// Whether there is still somebody to answer.
  var isWanted: Bool { channel.isActive }

  /// Sends what `make` answers on another thread, when it is the caller's turn there.
  func send(whenMade make: @escaping @Sendable () -> HTTPAnswer) {
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    let (eventLoop, channel) = (channel.eventLoop, channel)
    service.threads.enter(owner: caller?.owner ?? 0) {
      let answer = channel.isActive ? make() : nil
      eventLoop.execute {
        if let answer { bound.value.send(answer) } else { bound.value.abandon() }
      }
    }
  }

  func send(_ answer: HTTPAnswer) {
    guard isWanted else { return abandon() }
    (route, sequence, status) = (answer.route, answer.sequence, Int(answer.status.code))
    if answer.closes || service.isDraining && connection.isLast { isKept = false }
    let coding = ContentCoding(accepted: head.headers, byteCount: answer.body.byteCount)
    var answerHead = HTTPResponseHead(version: head.version, status: answer.status)
    answerHead.headers.add(name: "content-type", value: answer.contentType)
    for (name, value) in answer.headers { answerHead.headers.add(name: name, value: value) }
    answerHead.headers.add(name: "vary", value: "accept, accept-encoding")
    if let coding { answerHead.headers.add(name: "content-encoding", value: coding.rawValue) }
    if !isKept { answerHead.headers.add(name: "connection", value: "close") }
    write(answer.body.encoded(as: coding), with: answerHead)
  }

  private func write(_ body: HTTPBody, with head: HTTPResponseHead) {
    var head = head
    switch body {
    case .bytes(let bytes):
      head.headers.add(name: "content-length", value: String(bytes.byteCount))
      if bytes.byteCount > Self.maximumWriteLength, self.head.method != .HEAD {
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        pull(BufferSlices(bytes, byteCount: Self.maximumWriteLength))
      } else {
        write(bytes, with: head)
      }
    case .chunks(let chunks):
      // A head without its body says nothing of the body's length.
      if self.head.method == .HEAD { return measure(chunks, for: head) }
      channel.write(HTTPServerResponsePart.head(head), promise: nil)
      pull(chunks)
    }
  }

  /// All in one go.
  private func write(_ bytes: Buffer, with head: HTTPResponseHead) {
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    if self.head.method != .HEAD, !bytes.isEmpty { channel.write(part(bytes), promise: nil) }
    writeEnd()
  }

  private func part(_ bytes: Buffer) -> HTTPServerResponsePart {
    byteCount += bytes.byteCount
    var body = channel.allocator.buffer(capacity: bytes.byteCount)
    unsafe bytes.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
    return .body(.byteBuffer(body))
  }

  private func writeEnd() {
    record()
    let written = channel.eventLoop.makePromise(of: Void.self)
    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: written)
    written.futureResult.assumeIsolated().whenComplete { [self] _ in finish() }
    if !isOver { connection.isWriting() }
  }

  // MARK: Pieces

  /// Takes the next piece on another thread, and writes it; goes on when the client has taken it.
  private func pull(_ chunks: any HTTPChunks) {
    take(chunks) { exchange, piece in
      guard let piece else { return exchange.writeEnd() }
      let written = exchange.channel.eventLoop.makePromise(of: Void.self)
      exchange.channel.writeAndFlush(exchange.part(piece), promise: written)
      exchange.connection.isWriting()
      written.futureResult.assumeIsolated().whenComplete { result in
        if case .success = result { exchange.pull(chunks) } else { exchange.abandon() }
      }
    }
  }

  /// The answer to HEAD: as long as the body would be.
  private func measure(_ chunks: any HTTPChunks, for head: HTTPResponseHead, soFar: Int = 0) {
    take(chunks) { exchange, piece in
      if let piece { return exchange.measure(chunks, for: head, soFar: soFar + piece.byteCount) }
      var head = head
      head.headers.add(name: "content-length", value: String(soFar))
      exchange.write(Buffer.empty, with: head)
    }
  }

  private func take(_ chunks: any HTTPChunks, then body: @escaping @Sendable (HTTPExchange, Buffer?) -> Void) {
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    let eventLoop = channel.eventLoop
    service.threads.enter(owner: caller?.owner ?? 0) {
      let piece = Result { try chunks.next() }
      eventLoop.execute {
        let exchange = bound.value
        guard exchange.isWanted, case .success(let piece) = piece else { return exchange.abandon() }
        body(exchange, piece)
      }
    }
  }

  // MARK: The end

  /// Nobody can be answered, or not to the end: the connection goes.
  func abandon() {
    guard !isOver else { return }
    if status != 0 { record() }
    isKept = false
    finish()
    channel.close(promise: nil)
  }

  private func finish() {
    guard !isOver else { return }
    isOver = true
    caller?.leave(byteCount: byteCount)
    connection.ended(closing: !isKept)
  }

  private func record() {
    service.metrics.record(
      RequestMetrics.Observation(
        route: route, status: status, seconds: Double(monotonicNanoseconds() - start) / 1e9, byteCount: byteCount,
        sequence: sequence, tenant: (caller?.tenant ?? refusal?.tenant)?.tenant.name, limit: refusal?.limit))
  }
}

extension HTTPBody {
  /// nil: nobody knows yet.
  fileprivate var byteCount: Int? {
    if case .bytes(let bytes) = self { bytes.byteCount } else { nil }
  }

  fileprivate func encoded(as coding: ContentCoding?) -> HTTPBody {
    guard let coding else { return self }
    switch self {
    case .bytes(let bytes): return .bytes(ContentEncoder.encode(bytes, as: coding))
    case .chunks(let chunks): return .chunks(EncodedChunks(chunks, as: coding))
    }
  }
}
