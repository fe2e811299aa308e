import Buffers
import NIOCore
import NIOHTTP1

/// One client's HTTP/1 connection, or one stream of its HTTP/2 connection: reads requests one after another and has them
/// answered in fair order. Belongs to the connection's event loop.
///
/// Requests that come ahead wait for the answers before theirs, and when one waits nothing more is read.
final class HTTPConnection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never

  /// What was read.
  private enum Event {
    case part(HTTPServerRequestPart)
    case failure(HTTPParserError)
  }

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
  private let writer: any AnswerWriter
  private let isLocal: Bool
  private let isStream: Bool
  private let readsAhead: Bool

  private var state = State.waiting
  /// Of the request that is being read: its body, and how much of it has come.
  private var body: BufferBuilder?
  private var bodyByteCount = 0
  private var readingDeadline: Deadline?
  private var writingDeadline: Deadline?
  private var isReadingTimed = false
  /// Requests that are not answered to the end.
  private var exchangeCount = 0
  /// What came after them.
  private var ahead = CircularBuffer<Event>(initialCapacity: 0)
  private var isTakingAhead = false
  private var isReadHeld = false
  /// The client will send nothing more.
  private var isInputClosed = false
  /// Waits until the client takes earlier answers.
  private var held: (HTTPQuestion, HTTPExchange)?

  /// - Parameters:
  ///   - channel: the connection, or a stream of one.
  ///   - readsAhead: whether to read on while a request is answered. That the client will send nothing more must then not
  ///     end the connection.
  ///   - isLocal: whether the client is on this machine.
  init(
    _ channel: any Channel, isStream: Bool, readsAhead: Bool, service: HTTPService, turns: LoopTurns,
    clock: ConnectionClock, isLocal: Bool
  ) {
    (self.isStream, self.readsAhead) = (isStream, readsAhead)
    self.channel = channel
    writer = isStream ? PartWriter(channel) : ByteWriter(channel)
    self.service = service
    self.turns = turns
    self.clock = clock
    self.isLocal = isLocal
  }

  // MARK: Reading

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(.part(unwrapInboundIn(data))) }

  private func receive(_ event: Event) {
    if !ahead.isEmpty || !isReady { ahead.append(event) } else { take(event) }
  }

  /// Whether what comes next can be looked at: it is of the request that is being read, or nothing is left to answer.
  private var isReady: Bool {
    if case .waiting = state { exchangeCount == 0 } else { true }
  }

  private func take(_ event: Event) {
    switch event {
    case .part(.head(let head)): begin(head)
    case .part(.body(let bytes)): add(bytes)
    case .part(.end): end()
    case .failure(let error): fail(error)
    }
  }

  /// Looks at what came ahead as far as that can be; answers that are given at once come back here.
  private func takeAhead() {
    if isTakingAhead { return }
    isTakingAhead = true
    while isReady, let event = ahead.popFirst() { take(event) }
    isTakingAhead = false
    timeReading()
    if isReady, isInputClosed { return close() }
    if isReadHeld, ahead.isEmpty {
      isReadHeld = false
      channel.read()
    }
  }

  func read(context: ChannelHandlerContext) {
    if ahead.isEmpty, readsAhead || isReady { context.read() } else { isReadHeld = true }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed {
      isInputClosed = true
      // Who has asked is answered, and sends nothing for that any more.
      if ahead.isEmpty, isReady { close() }
    }
    context.fireUserInboundEventTriggered(event)
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
    return HTTPExchange(head, on: self, channel: channel, writer, service: service)
  }

  private func admitted(_ head: HTTPRequestHead, _ exchange: HTTPExchange) throws(Gate.Refusal) -> HTTPQuestion {
    let target: HTTPTarget
    do throws(RequestError) {
      try service.rules.check(head)
      target = try HTTPTarget(head.uri)
    } catch {
      throw Gate.Refusal(error)
    }
    let caller = try service.gate.admit(head, path: target.path, isLocal: isLocal)
    exchange.caller = caller
    return HTTPQuestion(head, target, access: caller.access)
  }

  private func beginBody(of head: HTTPRequestHead) {
    body = BufferBuilder()
    guard head.headers.contains(name: "expect"), head.version != .http1_0 else { return }
    writer.writeContinue()
  }

  private func add(_ bytes: ByteBuffer) {
    if case .closing = state { return }
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
    if case .closing = state { return }
    isReadingTimed = false
    readingDeadline?.clear()
    switch state {
    case .reading(let exchange, let question):
      state = .waiting
      guard let body = body.take() else { return answer(question, exchange) }
      answer(HTTPQuestion(question, body: body.finish()), exchange)
    case .passingOver: state = .waiting
    case .waiting, .closing: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    timeReading()
    context.fireChannelReadComplete()
  }

  /// Gives the rest of a request its time, once.
  private func timeReading() {
    switch state {
    case .reading, .passingOver: if isReadingTimed { return }
    case .waiting, .closing: return
    }
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
  var isLast: Bool { exchangeCount == 1 && ahead.isEmpty && !isStream }

  /// An exchange is over; `closing`: and so is the connection.
  func ended(closing: Bool) {
    exchangeCount -= 1
    if exchangeCount == 0 { writingDeadline?.clear() }
    if closing { closeGently() } else { takeAhead() }
    clock.end()
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
    if let error = error as? HTTPParserError { receive(.failure(error)) } else { close() }
  }

  private func fail(_ error: HTTPParserError) {
    let refusal = Gate.Refusal(RequestRules.refusal(of: error))
    switch state {
    case .reading(let exchange, _): refuse(exchange, refusal)
    case .waiting: refuse(makeExchange(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")), refusal)
    case .passingOver, .closing: close()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .reading(let exchange, _) = state { exchange.abandon() }
    held.take()?.1.abandon()
    state = .closing
    ahead.removeAll()
    readingDeadline?.cancel()
    writingDeadline?.cancel()
    context.fireChannelInactive()
  }
}
