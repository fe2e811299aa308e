import Buffers
import NIOCore
import NIOHTTP1

/// One client's HTTP/1 connection, or one stream of its HTTP/2 connection: reads requests one after another and has them
/// answered in fair order. Belongs to the connection's event loop.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case waiting
    /// The head was let in.
    case reading(HTTPExchange, HTTPQuestion)
    /// The request is answered already; the rest of its body is of no use.
    case passingOver
    /// Nothing that comes is looked at any more.
    case closing
  }

  private let service: HTTPService
  private let turns: LoopTurns
  private let clock: ConnectionClock
  private let channel: any Channel
  private let isLocal: Bool
  private let isStream: Bool

  private var state = State.waiting
  /// Of the request that is being read: its body, and how much of it has come.
  private var body: BufferBuilder?
  private var bodyByteCount = 0
  private var readingDeadline: Deadline?
  private var writingDeadline: Deadline?
  private var isReadingTimed = false
  /// Requests that came ahead may be read while answers are on their way.
  private var exchangeCount = 0
  /// Waits until the client takes earlier answers.
  private var held: (HTTPQuestion, HTTPExchange)?

  /// - Parameters:
  ///   - channel: the connection, or a stream of one.
  ///   - isLocal: whether the client is on this machine.
  init(
    _ channel: any Channel, isStream: Bool, service: HTTPService, turns: LoopTurns, clock: ConnectionClock,
    isLocal: Bool
  ) {
    self.isStream = isStream
    self.channel = channel
    self.service = service
    self.turns = turns
    self.clock = clock
    self.isLocal = isLocal
  }

  // MARK: Reading

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head)
    case .body(let bytes): add(bytes)
    case .end: end()
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    if case .closing = state { return }
    body = nil
    bodyByteCount = 0
    let exchange = makeExchange(head)
    do throws(Gate.Refusal) {
      let question = try admitted(head, exchange)
      state = .reading(exchange, question)
      if question.method == .POST { beginBody(of: head) }
    } catch {
      refuse(exchange, error)
    }
  }

  private func makeExchange(_ head: HTTPRequestHead) -> HTTPExchange {
    clock.begin()
    exchangeCount += 1
    return HTTPExchange(head, on: self, channel: channel, service: service)
  }

  private func admitted(_ head: HTTPRequestHead, _ exchange: HTTPExchange) throws(Gate.Refusal) -> HTTPQuestion {
    var question: HTTPQuestion
    do throws(RequestError) {
      try service.rules.check(head)
      question = try HTTPQuestion(head)
    } catch {
      throw Gate.Refusal(error)
    }
    let caller = try service.gate.admit(head, path: question.path, isLocal: isLocal)
    exchange.caller = caller
    question.access = caller.access
    return question
  }

  private func beginBody(of head: HTTPRequestHead) {
    body = BufferBuilder()
    guard head.headers.contains(name: "expect"), head.version != .http1_0 else { return }
    channel.writeAndFlush(HTTPServerResponsePart.head(.init(version: head.version, status: .continue)), promise: nil)
  }

  private func add(_ bytes: ByteBuffer) {
    bodyByteCount += bytes.readableBytes
    if bodyByteCount > service.limits.bodyByteCount { return refuseBody() }
    if body != nil { unsafe bytes.withUnsafeReadableBytes { unsafe body!.append(RawSpan(_unsafeBytes: $0)) } }
  }

  private func refuseBody() {
    switch state {
    case .reading(let exchange, _): refuse(exchange, Gate.Refusal(service.rules.bodyTooLong))
    case .passingOver: close()
    case .waiting, .closing: break
    }
  }

  private func end() {
    isReadingTimed = false
    readingDeadline?.clear()
    switch state {
    case .reading(let exchange, var question):
      if let body = body.take() { question.body = body.finish() }
      state = .waiting
      answer(question, exchange)
    case .passingOver: state = .waiting
    case .waiting, .closing: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    switch state {
    case .reading, .passingOver: timeReading()
    case .waiting, .closing: break
    }
    context.fireChannelReadComplete()
  }

  /// Gives the rest of a request its time, once.
  private func timeReading() {
    guard !isReadingTimed else { return }
    isReadingTimed = true
    let deadline = readingDeadline ?? Deadline(on: channel.eventLoop) { [weak self] in self?.readingIsLate() }
    readingDeadline = deadline
    deadline.set(in: clock.limit)
  }

  private func readingIsLate() {
    guard case .reading(let exchange, _) = state else { return close() }
    refuse(exchange, Gate.Refusal(RequestError(closing: .requestTimeout, "the rest of the request did not come")))
  }

  // MARK: Answering

  private func answer(_ question: HTTPQuestion, _ exchange: HTTPExchange) {
    // Nothing more is answered to who does not take what is answered already.
    guard channel.isWritable else {
      held = (question, exchange)
      return
    }
    turns.enter(owner: exchange.caller?.owner ?? 0) { [service] in
      guard exchange.isWanted else { return exchange.abandon() }
      switch service.answer(question) {
      case .now(let answer): exchange.send(answer)
      case .later(let make): exchange.send(whenMade: make)
      }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if channel.isWritable, let (question, exchange) = held.take() { answer(question, exchange) }
    context.fireChannelWritabilityChanged()
  }

  /// Answers before any route has seen the request.
  private func refuse(_ exchange: HTTPExchange, _ refusal: Gate.Refusal) {
    body = nil
    exchange.refusal = refusal
    state = refusal.error.closes ? .closing : .passingOver
    exchange.send(HTTPAnswer(refusing: refusal.error))
  }

  /// An exchange waits for its client to take what was written.
  func isWriting() {
    let deadline = writingDeadline ?? Deadline(on: channel.eventLoop) { [weak self] in self?.close() }
    writingDeadline = deadline
    deadline.set(in: clock.limit)
  }

  /// Whether the exchange in hand is the only one, on a connection of its own.
  var isLast: Bool { exchangeCount == 1 && !isStream }

  /// An exchange is over; `closing`: and so is the connection.
  func ended(closing: Bool) {
    exchangeCount -= 1
    if exchangeCount == 0 { writingDeadline?.clear() }
    clock.end()
    if closing { closeGently() }
  }

  // MARK: Ending

  /// Lets the client read the answer: a connection that is closed over unread bytes takes back what is on its way.
  private func closeGently() {
    guard channel.isActive else { return }
    guard case .closing = state else { return close() }
    // A stream has ended on this side with its answer, and cannot be closed by half.
    if !isStream { channel.close(mode: .output, promise: nil) }
    isReadingTimed = false
    readingDeadline = readingDeadline ?? Deadline(on: channel.eventLoop) { [weak self] in self?.close() }
    readingDeadline?.set(in: .seconds(1))
  }

  private func close() {
    state = .closing
    channel.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return close() }
    let refusal = Gate.Refusal(RequestRules.refusal(of: error))
    switch state {
    case .reading(let exchange, _): refuse(exchange, refusal)
    case .waiting:
      refuse(makeExchange(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")), refusal)
    case .passingOver, .closing: close()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .reading(let exchange, _) = state { exchange.abandon() }
    held.take()?.1.abandon()
    state = .closing
    readingDeadline?.cancel()
    writingDeadline?.cancel()
    context.fireChannelInactive()
  }
}
