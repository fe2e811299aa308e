import Arrow
import Definitions
import Engine
import JSONText
import NIOHTTP1
import SequenceStore
import Synchronization

/// Answers the requests of `seq-serve`; `Route` has what can be asked for.
package final class SequenceAPI: Sendable {
  private let definitions: DefinitionsView
  private let store: StoreView
  /// What the server counts, for `/metrics`.
  package let metrics = RequestMetrics()
  private let dashboard: Dashboard
  private let book = FactBook()

  /// - Parameters:
  ///   - tables: the directory of the tables that are looked up when events are read.
  ///   - cacheByteCount: memory for decoded pages; 0: none is kept.
  ///   - indexByteCount: memory for data files' footers and indexes.
  ///   - now: the time of day by which the dashboard takes its samples, in microseconds.
  ///   - report: told what is wrong with the live log.
  /// - Throws: when a sequence's expressions do not fit the datasets, a table is missing, or the store cannot be read.
  package init(
    definitions origin: DefinitionsOrigin, tables: String? = nil, store: StoreDirectory, cacheByteCount: Int = 0,
    indexByteCount: Int = StoreSnapshot.defaultIndexByteLimit,
    now: @escaping @Sendable () -> Int64 = { Clock.nowMicros },
    report: @escaping @Sendable (any Error) -> Void
  ) throws {
    definitions = try DefinitionsView(origin, tables: ServedTables(directory: tables))
    self.store = try StoreView(
      store, definitions.current.definitions, cacheByteCount: cacheByteCount, indexByteCount: indexByteCount,
      report: report)
    dashboard = Dashboard(
      definitions, self.store, in: store, requests: { [metrics] in metrics.counts }, now: now)
  }

  /// Answers a request; called on any event loop.
  package func answer(_ question: HTTPQuestion) -> HTTPReply {
    let route = Route(question.path)
    let sequence = route.sequence.flatMap { definitions.current.plans[Self.parts(of: $0).name]?.definition.name }
    do throws(RequestError) {
      try Self.check(question, for: route)
      return try reply(to: question, route).named(route.template, sequence: sequence)
    } catch {
      return HTTPReply.now(HTTPAnswer(error)).named(route.template, sequence: sequence)
    }
  }

  /// - Throws: 404 where there is nothing, 405 for a method that the route does not take.
  private static func check(_ question: HTTPQuestion, for route: Route) throws(RequestError) {
    guard route != .unknown else {
      let target = "/" + question.path.joined(separator: "/")
      throw RequestError(.notFound, "there is nothing at \(target); see /v1/sequences")
    }
    guard !route.methods.contains(question.method) else { return }
    let allowed = route.methods.map(\.rawValue).joined(separator: ", ")
    var error = RequestError(.methodNotAllowed, "\(question.method) is not supported here; use \(route.methods[0])")
    error.headers = [("allow", allowed)]
    throw error
  }

  private func reply(to question: HTTPQuestion, _ route: Route) throws(RequestError) -> HTTPReply {
    switch route {
    case .overview: .now(try page { () throws(RequestError) in try overview() })
    case .explorer:
      .now(try page { () throws(RequestError) in try dashboard.explorer(question.target.query, for: question.access) })
    case .health: .now(HTTPAnswer(text: "ok\n"))
    case .readiness: .now(try readiness())
    case .metrics:
      .now(
        HTTPAnswer(
          contentType: PrometheusText.contentType,
          text: metrics.text + store.metrics(nowMicros: Clock.nowMicros) + dashboard.metrics + definitionsInfo))
    case .sequences: .now(HTTPAnswer(json: list(for: question.access)))
    case .contract(let sequence): try contract(sequence, for: question.access)
    case .events(let sequence, let user): try events(sequence, user: user, question)
    case .batch(let sequence): try batch(sequence, question)
    case .unknown: throw RequestError(.notFound, "there is nothing here")
    }
  }

  // MARK: Pages

  private func overview() throws(RequestError) -> Page {
    do throws(StoreError) { return try dashboard.overview() } catch { throw RequestError(error) }
  }

  private func page(_ make: () throws(RequestError) -> Page) throws(RequestError) -> HTTPAnswer {
    var answer = HTTPAnswer(contentType: "text/html; charset=utf-8", text: try make().text)
    answer.headers = [("content-security-policy", Page.contentPolicy), ("cache-control", "no-store")]
    return answer
  }

  // MARK: Users' events

  /// - Parameter reference: the sequence's name, with or without the version that is expected: `home_feed@1`.
  /// - Throws: 403 when the caller may not know of it, 404 when there is no such sequence, 409 when it is of another version.
  private func plan(
    _ reference: String, in served: ServedDefinitions, for access: Access
  ) throws(RequestError) -> SequencePlan {
    let (name, version) = Self.parts(of: reference)
    guard access.permits(sequence: name) else {
      throw RequestError(.forbidden, "sequence '\(name)' is not yours to read; see /v1/sequences")
    }
    guard let plan = served.plans[name] else {
      throw RequestError(.notFound, "there is no sequence '\(name)'; see /v1/sequences")
    }
    if let version { try plan.definition.check(version: version) }
    return plan
  }

  private static func parts(of reference: String) -> (name: String, version: Int?) {
    guard let mark = reference.utf8.lastIndex(of: UInt8(ascii: "@")),
      let version = Int(reference[reference.utf8.index(after: mark)...])
    else { return (reference, nil) }
    return (String(reference[..<mark]), version)
  }

  private func events(
    _ sequence: String, user text: String, _ question: HTTPQuestion
  ) throws(RequestError) -> HTTPReply {
    let served = definitions.current
    let (query, parameters) = (question.target.query, RequestParameters(query: question.target.query))
    let form = try served.forms.form(of: sequence, query, for: question.access) { () throws(RequestError) in
      try SequenceForm(
        parameters, of: plan(sequence, in: served, for: question.access), in: served, for: question.access)
    }
    let reading = SequenceReading(
      served: served, query: try SequenceQuery(form, parameters, nowMicros: Clock.nowMicros),
      users: [(text, try form.user(text))], isSingle: true, isArrow: SequenceAnswer.acceptsArrow(question.accept))
    return try reply(to: reading)
  }

  private func batch(_ sequence: String, _ question: HTTPQuestion) throws(RequestError) -> HTTPReply {
    let served = definitions.current
    let plan = try plan(sequence, in: served, for: question.access)
    let body = try BatchBody(question)
    let form = try SequenceForm(body.parameters, of: plan, in: served, for: question.access)
    let reading = SequenceReading(
      served: served, query: try SequenceQuery(form, body.parameters, nowMicros: Clock.nowMicros),
      users: try body.users(for: form), isSingle: false, isArrow: SequenceAnswer.acceptsArrow(question.accept))
    return try reply(to: reading)
  }

  /// Answers at once what is short, and on a thread that may take long what may be long.
  private func reply(to reading: SequenceReading) throws(RequestError) -> HTTPReply {
    guard reading.mayBeLong else { return .now(try reading.answer(from: store, book)) }
    return .later { [store, book] in
      do throws(RequestError) { return try reading.answer(from: store, book) } catch {
        return HTTPAnswer(error)
      }
    }
  }

  // MARK: What there is

  /// The sequences that a caller may read.
  private func list(for access: Access) -> JSONValue {
    let sequences = definitions.current.definitions.sequences.filter { access.permits(sequence: $0.name) }
    let facts = sequences.map { sequence -> JSONValue in
      [
        "name": .string(sequence.name), "version": .integer(Int64(sequence.version)), "owner": .string(sequence.owner),
        "stage": .string(sequence.stage.rawValue),
      ]
    }
    return ["sequences": .array(facts)]
  }

  /// The tables' logs are read for it.
  private func contract(_ reference: String, for access: Access) throws(RequestError) -> HTTPReply {
    let served = definitions.current
    let plan = try plan(reference, in: served, for: access)
    return .later { [store, book, dashboard] in
      let facts = book.facts(of: plan, served, store.tablesState, nowMicros: Clock.nowMicros) { store.liveStatistics }
      do throws(StoreError) {
        let datasets = try dashboard.health().filter { plan.datasets.contains($0.dataset) }
        return HTTPAnswer(json: SequenceContract(plan.definition, facts, datasets, for: access).json)
      } catch { return HTTPAnswer(RequestError(error)) }
    }
  }

  /// Ready once each dataset that a sequence reads has a table, or rows in the live log.
  private func readiness() throws(RequestError) -> HTTPAnswer {
    let missing = definitions.current.datasets.subtracting(store.filledDatasets).sorted()
    if missing.isEmpty { return HTTPAnswer(text: "ready\n") }
    throw RequestError(.serviceUnavailable, "no table and no live row yet for \(missing.joined(separator: ", "))")
  }

  private var definitionsInfo: String {
    let served = definitions.current.definitions
    var text = PrometheusText()
    text.add(
      info: "seqline_definitions_info", "The definitions that are served.",
      [("version", "\(served.version)"), ("digest", served.digest)])
    return text.text
  }

  /// What can be asked for, as `docs/openapi.yaml` names it; HEAD is as good as GET.
  package static var routes: [(template: String, methods: [String])] {
    Route.all.map { ($0.template, $0.methods.filter { $0 != .HEAD }.map(\.rawValue)) }
  }

  /// The parameters of requests for events.
  package static var eventParameters: [String] { SequenceQuery.parameters }

  // MARK: Upkeep

  /// Moves to the tables' latest versions, if there are newer ones; called now and then, off the event loops.
  package func refresh() throws { try store.refresh() }

  /// Moves to newer definitions and tables, if there are any; called like `refresh`.
  package func refreshDefinitions() throws { try definitions.refresh { try store.move(to: $0) } }

  /// Makes the next `refreshDefinitions` read everything again, changed or not.
  package func forgetDefinitions() { definitions.forget() }

  /// The directories whose changes call for `refresh` or `refreshDefinitions`; not all of them need be there.
  package var watchedDirectories: [String] { store.watchedDirectories + definitions.directories }

  /// Does what is due whenever the store changes, or what else is followed.
  ///
  /// - Parameters:
  ///   - directories: to be watched beside the API's own.
  ///   - jobs: to be done beside the API's own.
  package func startUpkeep(
    watching directories: [String] = [], _ jobs: [@Sendable () throws -> Void] = [],
    report: @escaping @Sendable (any Error) -> Void
  ) throws -> Upkeep {
    try Upkeep(
      watching: { [self] in watchedDirectories + directories },
      jobs + [
        { [self] in try refreshDefinitions() }, { [self] in try refresh() }, { [self] in try dashboard.sample() },
      ],
      report: report)
  }
}

extension RequestError {
  /// What is wrong with the store is no client's fault.
  init(_ error: StoreError) { self.init(.internalServerError, "\(error)") }
}
