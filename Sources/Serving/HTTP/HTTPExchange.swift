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
  private let writer: any AnswerWriter
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

  init(
    _ head: HTTPRequestHead, on connection: HTTPConnection, channel: any Channel, _ writer: any AnswerWriter,
    service: HTTPService
  ) {
    self.head = head
    self.connection = connection
    self.channel = channel
    self.writer = writer
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
    var fields = [(name: "content-type", value: answer.contentType)]
    fields += answer.headers
    fields.append(("vary", "accept, accept-encoding"))
    if let coding { fields.append(("content-encoding", coding.rawValue)) }
    let body = answer.body.encoded(as: coding)
    // Before HTTP/1.1 a body without a length ends with the connection.
    if body.byteCount == nil, head.version == .http1_0, head.method != .HEAD { isKept = false }
    write(
      body,
      AnswerHead(
        version: head.version, status: answer.status, fields: fields, byteCount: body.byteCount, isKept: isKept,
        isAlone: head.method == .HEAD))
  }

  private func write(_ body: HTTPBody, _ head: AnswerHead) {
    switch body {
    case .bytes(let bytes):
      if bytes.byteCount <= Self.maximumWriteLength || head.isAlone { return write(bytes, head) }
      writer.begin(head)
      pull(BufferSlices(bytes, byteCount: Self.maximumWriteLength))
    case .chunks(let chunks):
      // A head without its body says nothing of the body's length.
      if head.isAlone { return measure(chunks, for: head) }
      writer.begin(head)
      pull(chunks)
    }
  }

  /// All in one go.
  private func write(_ bytes: Buffer, _ head: AnswerHead) {
    if !head.isAlone { byteCount += bytes.byteCount }
    finish { writer.write(head, bytes, $0) }
  }

  /// Notes what was answered, and what becomes of the last of it.
  private func finish(_ write: (EventLoopPromise<Void>) -> Void) {
    record()
    let written = channel.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { [self] _ in finish() }
    write(written)
    if !isOver { connection.isWriting() }
  }

  // MARK: Pieces

  /// Takes the next piece on another thread, and writes it; goes on when the client has taken it.
  private func pull(_ chunks: any HTTPChunks) {
    take(chunks) { exchange, piece in
      guard let piece else { return exchange.finish { exchange.writer.end($0) } }
      let written = exchange.channel.eventLoop.makePromise(of: Void.self)
      exchange.byteCount += piece.byteCount
      exchange.writer.write(piece, written)
      exchange.connection.isWriting()
      written.futureResult.assumeIsolated().whenComplete { result in
        if case .success = result { exchange.pull(chunks) } else { exchange.abandon() }
      }
    }
  }

  /// The answer to HEAD: as long as the body would be.
  private func measure(_ chunks: any HTTPChunks, for head: AnswerHead, soFar: Int = 0) {
    take(chunks) { exchange, piece in
      if let piece { return exchange.measure(chunks, for: head, soFar: soFar + piece.byteCount) }
      var head = head
      head.byteCount = soFar
      exchange.write(Buffer.empty, head)
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
