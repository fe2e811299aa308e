import Arrow
import Definitions
import Engine
import JSONText
import NIOHTTP1
import SequenceStore
import Synchronization

/// The routes of `seq-serve`.
///
///     GET /v1/sequences                        the sequences
///     GET /v1/sequences/{s}                    a sequence's contract: schema, owner, promises
///     GET /v1/sequences/{s}/users/{u}          a user's events; parameters: see `SequenceQuery`
///     GET /, /explore                          pages for people
///     GET /healthz, /readyz, /metrics
package final class SequenceAPI: Sendable {
  private let definitions: DefinitionsView
  private let store: StoreView
  /// What the server counts, for `/metrics`.
  package let metrics = RequestMetrics()
  private let dashboard: Dashboard

  /// - Parameters:
  ///   - tables: the directory of the tables that are looked up when events are read.
  ///   - cacheByteCount: memory for decoded pages; 0: none is kept.
  ///   - report: told what is wrong with the live log.
  /// - Throws: when a sequence's expressions do not fit the datasets, a table is missing, or the store cannot be read.
  package init(
    definitions origin: DefinitionsOrigin, tables: String? = nil, store: StoreDirectory, cacheByteCount: Int = 0,
    report: @escaping @Sendable (any Error) -> Void
  ) throws {
    definitions = try DefinitionsView(origin, tables: ServedTables(directory: tables))
    self.store = try StoreView(
      store, definitions.current.definitions, cacheByteCount: cacheByteCount, report: report)
    dashboard = Dashboard(
      definitions, self.store, in: store, routes: { [metrics] in metrics.routes })
  }

  /// Answers a request; called on any event loop.
  package func answer(_ question: HTTPQuestion) -> HTTPReply {
    let (name, answer) = route(question)
    var named = answer
    named.route = name
    return .now(named)
  }

  private func route(_ question: HTTPQuestion) -> (name: String, HTTPAnswer) {
    guard question.method == .GET || question.method == .HEAD else {
      var error = RequestError(.methodNotAllowed, "\(question.method) is not supported; use GET")
      error.headers = [("allow", "GET, HEAD")]
      return ("unknown", HTTPAnswer(error))
    }
    let path = question.path
    switch path.count {
    case 0: return ("/", page { () throws(RequestError) in try overview() })
    case 1 where path[0] == "explore":
      return (
        "/explore", page { () throws(RequestError) in try dashboard.explorer(question.query, for: question.access) }
      )
    case 1 where path[0] == "healthz": return ("/healthz", HTTPAnswer(text: "ok\n"))
    case 1 where path[0] == "readyz": return ("/readyz", readiness())
    case 1 where path[0] == "metrics":
      let text = metrics.text + store.metrics(nowMicros: Clock.nowMicros) + definitionsInfo
      return ("/metrics", HTTPAnswer(contentType: PrometheusText.contentType, text: text))
    case 2 where path[0] == "v1" && path[1] == "sequences":
      return ("/v1/sequences", HTTPAnswer(json: list(for: question.access)))
    case 3 where path[0] == "v1" && path[1] == "sequences":
      let answer = answering { () throws(RequestError) in
        HTTPAnswer(json: try contract(path[2], for: question.access))
      }
      return ("/v1/sequences/{s}", answer)
    case 5 where path[0] == "v1" && path[1] == "sequences" && path[3] == "users":
      let answer = answering { () throws(RequestError) in try events(path[2], user: path[4], question) }
      return ("/v1/sequences/{s}/users/{u}", answer)
    default:
      let target = "/" + path.joined(separator: "/")
      return ("unknown", HTTPAnswer(.notFound, error: "there is nothing at \(target); see /v1/sequences"))
    }
  }

  private func answering(_ body: () throws(RequestError) -> HTTPAnswer) -> HTTPAnswer {
    do { return try body() } catch { return HTTPAnswer(error) }
  }

  // MARK: Pages

  private func overview() throws(RequestError) -> Page {
    do throws(StoreError) { return try dashboard.overview() } catch { throw RequestError(error) }
  }

  private func page(_ make: () throws(RequestError) -> Page) -> HTTPAnswer {
    answering { () throws(RequestError) in
      var answer = HTTPAnswer(contentType: "text/html; charset=utf-8", text: try make().text)
      answer.headers = [("content-security-policy", Page.contentPolicy), ("cache-control", "no-store")]
      return answer
    }
  }

  // MARK: A user's events

  /// - Throws: 403 when the caller may not know of it, 404 when there is no such sequence.
  private func plan(
    _ name: String, in served: ServedDefinitions, for access: Access
  ) throws(RequestError) -> SequencePlan {
    guard access.permits(sequence: name) else {
      throw RequestError(.forbidden, "sequence '\(name)' is not yours to read; see /v1/sequences")
    }
    guard let plan = served.plans[name] else {
      throw RequestError(.notFound, "there is no sequence '\(name)'; see /v1/sequences")
    }
    return plan
  }

  private func events(
    _ sequence: String, user text: String, _ question: HTTPQuestion
  ) throws(RequestError) -> HTTPAnswer {
    let served = definitions.current
    let plan = try plan(sequence, in: served, for: question.access)
    let query = try SequenceQuery(question.query, plan: plan, access: question.access, nowMicros: Clock.nowMicros)
    let user = try served.user(text, of: plan)
    do throws(StoreError) {
      let reading = try store.read(query.request(user: user, sequence: plan.definition), of: plan)
      return SequenceAnswer(
        sequence: plan.definition, user: text, query: query, reading: reading, definitions: served.label
      ).answer(accept: question.accept)
    } catch { throw RequestError(error) }
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

  private func contract(_ name: String, for access: Access) throws(RequestError) -> JSONValue {
    let served = definitions.current
    let sequence = try plan(name, in: served, for: access).definition
    let columns = sequence.fields.filter { access.permits(column: $0.name, of: name) }
    var facts: [String: JSONValue] = [
      "name": .string(sequence.name), "version": .integer(Int64(sequence.version)), "owner": .string(sequence.owner),
      "stage": .string(sequence.stage.rawValue), "event_types": .array(sequence.eventTypes.map { .string($0) }),
      "max_length": .integer(Int64(sequence.maximumLength)),
      "caps": .object(Dictionary(sequence.caps.map { ($0.eventType, .integer(Int64($0.count))) }) { $1 }),
      "definitions": .string(served.label),
      "columns": Self.columns(columns),
      "tables": .object(store.versions.mapValues { .integer($0) }),
    ]
    if sequence.objects != nil {
      facts["objects"] = Self.columns(sequence.objectFields.filter { access.permits(column: $0.name, of: name) })
    }
    if let window = sequence.windowMicros { facts["window_seconds"] = .integer(window / 1_000_000) }
    if let freshness = sequence.freshnessMicros { facts["freshness_seconds"] = .number(Double(freshness) / 1e6) }
    if let completeness = sequence.completeness {
      facts["completeness"] = [
        "share": .number(completeness.share), "after_seconds": .integer(completeness.delayMicros / 1_000_000),
      ]
    }
    return .object(facts)
  }

  private static func columns(_ fields: [Field]) -> JSONValue {
    .array(fields.map { ["name": .string($0.name), "type": .string($0.type.description)] })
  }

  /// Ready once each dataset that a sequence reads has a table, or rows in the live log.
  private func readiness() -> HTTPAnswer {
    let missing = definitions.current.datasets.subtracting(store.filledDatasets).sorted()
    if missing.isEmpty { return HTTPAnswer(text: "ready\n") }
    return HTTPAnswer(.serviceUnavailable, error: "no table and no live row yet for \(missing.joined(separator: ", "))")
  }

  private var definitionsInfo: String {
    let served = definitions.current.definitions
    var text = PrometheusText()
    text.add(
      info: "seqline_definitions_info", "The definitions that are served.",
      [("version", "\(served.version)"), ("digest", served.digest)])
    return text.text
  }

  // MARK: Upkeep

  /// Moves to the tables' latest versions, if there are newer ones; called now and then, off the event loops.
  package func refresh() throws { try store.refresh() }

  /// Moves to newer definitions and tables, if there are any; called like `refresh`.
  package func refreshDefinitions() throws { try definitions.refresh { try store.move(to: $0) } }

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
