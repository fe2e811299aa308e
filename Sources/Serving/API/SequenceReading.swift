import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine
import NIOHTTP1
import SequenceStore

/// A request for events that was understood: what is read, of whom, and how it is answered.
struct SequenceReading: Sendable {
  let served: ServedDefinitions
  let query: SequenceQuery
  /// With the key as the request wrote it.
  let users: [(text: String, id: UserID)]
  /// Whether one user was asked for by name, rather than a list of users.
  let isSingle: Bool
  /// Whether it is answered as an Arrow stream.
  let isArrow: Bool

  private var form: SequenceForm { query.form }
  private var plan: SequencePlan { form.plan }

  /// Whether an event loop should not wait for it.
  var mayBeLong: Bool {
    !isSingle || form.last > SequenceAnswer.wholeRowCount || form.readsWholeWindow
  }

  /// - Throws: 500 when the store cannot be read, 503 for a breach of what is demanded.
  func answer(from store: StoreView, _ book: FactBook) throws(RequestError) -> HTTPAnswer {
    let (found, tables): (Found, ServedTablesState)
    do throws(StoreError) { (found, tables) = try read(from: store) } catch { throw RequestError(error) }
    let answer = SequenceAnswer(
      users: found.users, isSingle: isSingle, contract: try contract(found, tables, from: store, book),
      timestamps: form.timestamps, isColumnar: form.isColumnar, untilMicros: query.untilMicros,
      userType: form.userType)
    do throws(StoreError) { return try answer.answer(isArrow: isArrow) } catch { throw RequestError(error) }
  }

  private typealias Found = (users: [SequenceAnswer.User], readings: [StoreView.Reading])

  /// Reads the users' events, or chooses them, where they are many.
  private func read(from store: StoreView) throws(StoreError) -> (Found, ServedTablesState) {
    if isSingle, form.last > SequenceAnswer.wholeRowCount, form.isReadInPieces {
      return try readInPieces(from: store)
    }
    let (readings, tables) = try store.read(users.map { request(user: $0.id) }, of: plan)
    return ((zip(users, readings).map { answered($0.text, $1) }, readings), tables)
  }

  /// Several users' columns are put together, and have to be of one type.
  private func request(user: UserID) -> SequenceRequest {
    query.request(user: user, keepsDictionaries: isArrow && isSingle)
  }

  private func readInPieces(from store: StoreView) throws(StoreError) -> (Found, ServedTablesState) {
    let request = request(user: users[0].id)
    let pieces = try store.select(request, of: plan)
    if pieces.rowCount <= SequenceAnswer.wholeRowCount {
      let reading = try pieces.whole(request.columns)
      return (([answered(users[0].text, reading)], [reading]), pieces.tables)
    }
    let none = StoreView.Reading(
      events: SequenceEvents(events: RecordBatch(noneOf: request.columns), cut: pieces.cut),
      liveRowCount: pieces.liveRowCount)
    var user = answered(users[0].text, none)
    user.pieces = pieces
    return (([user], [none]), pieces.tables)
  }

  private func answered(_ user: String, _ reading: StoreView.Reading) -> SequenceAnswer.User {
    var events = reading.events.events
    if form.isNewestFirst { events = events.take(Buffer((0..<Int32(events.rowCount)).reversed())) }
    return SequenceAnswer.User(
      text: user, events: events, cut: reading.events.cut, liveRowCount: reading.liveRowCount)
  }

  private func contract(
    _ found: Found, _ tables: ServedTablesState, from store: StoreView, _ book: FactBook
  ) throws(RequestError) -> AnswerContract {
    func judged(by ageLimitMicros: Int64) throws(RequestError) -> AnswerContract {
      let facts = book.facts(
        of: plan, served, tables, nowMicros: Clock.nowMicros, ageLimitMicros: ageLimitMicros
      ) { store.liveStatistics }
      var contract = AnswerContract(
        facts, form, found.readings, areCounted: found.users[0].pieces == nil)
      if !form.demands.isEmpty { contract.breaches = try form.demands.breaches(contract) }
      return contract
    }
    var contract = try judged(by: FactBook.ageLimitMicros)
    // What is known may be a second old, and what was missed then have come since.
    if !contract.breaches.isEmpty { contract = try judged(by: FactBook.shortAgeMicros) }
    guard contract.breaches.isEmpty || form.demands.degrades else {
      throw RequestError(.serviceUnavailable, contract.breaches.joined(separator: "; "))
    }
    return contract
  }
}

extension RecordBatch {
  /// No rows.
  init(noneOf fields: [Field]) {
    self.init(Schema(fields), fields.map { ArrowArray(nulls: $0.type, count: 0) }, rowCount: 0)
  }
}
