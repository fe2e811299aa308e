import Arrow
import Definitions
import DeltaLog
import Engine
import SequenceStore
import Synchronization

/// The pages for people, and the numbers that they remember.
final class Dashboard: Sendable {
  private let definitions: DefinitionsView
  private let store: StoreView
  private let directory: StoreDirectory
  private let routes: @Sendable () -> [OverviewPage.Route]
  private let history: MetricHistory
  private let state = Mutex(State())

  private struct State {
    var health: [String: DatasetHealth] = [:]
    var sampledAt: Int64 = .min
  }

  /// Between two samples, in seconds; a week of them is remembered.
  private static let sampleInterval: Int64 = 300

  /// - Parameters:
  ///   - directory: of the store, which also keeps the history.
  ///   - routes: how requests went since the start.
  init(
    _ definitions: DefinitionsView, _ store: StoreView, in directory: StoreDirectory,
    routes: @escaping @Sendable () -> [OverviewPage.Route]
  ) {
    self.definitions = definitions
    self.store = store
    self.directory = directory
    self.routes = routes
    history = MetricHistory(path: directory.history)
  }

  // MARK: Remembering

  /// Takes a sample when one is due.
  /// - Throws: when a table's log cannot be read, or the history not written.
  func sample() throws {
    let seconds = Clock.nowMicros / 1_000_000
    let isDue = state.withLock { state in
      guard seconds - max(state.sampledAt, 0) >= Self.sampleInterval, directory.exists else { return false }
      state.sampledAt = seconds
      return true
    }
    guard isDue else { return }
    var values: [String: Double] = [:]
    for (type, micros) in store.liveStatistics.delayMicros { values[MetricName.delay(type)] = Double(micros) / 1e6 }
    for dataset in try health() { values[MetricName.smallFiles(dataset.dataset)] = Double(dataset.smallFileCount) }
    try directory.makeHistoryDirectory()
    try history.add(MetricHistory.Sample(seconds: seconds, values: values))
  }

  /// How the datasets do now; what is known of their pasts is not read again.
  func health() throws(StoreError) -> [DatasetHealth] {
    let snapshot = store.snapshot
    let known = state.withLock { $0.health }
    var found: [DatasetHealth] = []
    for name in snapshot.datasetNames {
      if let health = try DatasetHealth(snapshot, dataset: name, after: known[name]) { found.append(health) }
    }
    state.withLock { $0.health = Dictionary(found.map { ($0.dataset, $0) }) { $1 } }
    return found
  }

  // MARK: Pages

  func overview() throws(StoreError) -> Page {
    let (served, live, now) = (definitions.current, store.liveStatistics, Clock.nowMicros)
    let health = try health()
    let promises = Self.promises(served.definitions)
    let types = served.definitions.eventTypes.map { type in
      let newest = live.newestSeenMicros[type.name] ?? health.first { $0.dataset == type.dataset }?.newestSeenMicros
      return OverviewPage.EventType(
        name: type.name, dataset: type.dataset, lagSeconds: newest.map { Double(now - $0) / 1e6 },
        delaySeconds: live.delayMicros[type.name].map { Double($0) / 1e6 }, promisedSeconds: promises[type.name])
    }
    let content = OverviewPage(
      eventTypes: types, datasets: health, enriched: Self.enriched(served.definitions),
      liveRowCount: live.rowCounts.values.reduce(0, +), liveByteCount: live.byteCount, routes: routes(),
      history: history
    ).content
    return Page(title: "Overview", path: "/", note: "definitions \(served.label)", content: content)
  }

  /// By event type, the shortest freshness that a sequence promises, in seconds.
  private static func promises(_ definitions: DefinitionSet) -> [String: Double] {
    var promises: [String: Double] = [:]
    for sequence in definitions.sequences {
      guard let freshness = sequence.freshnessMicros else { continue }
      for type in sequence.eventTypes { promises[type] = min(promises[type] ?? .infinity, Double(freshness) / 1e6) }
    }
    return promises
  }

  /// By dataset, the columns that look-ups bring.
  private static func enriched(_ definitions: DefinitionSet) -> [String: [String]] {
    var columns: [String: [String]] = [:]
    for type in definitions.eventTypes {
      for case .lookup(let use) in type.enrichments {
        let names = definitions.lookup(use.lookup)?.columns.flatMap(\.outputs).map { use.prefix + $0.name } ?? []
        for name in names where columns[type.dataset]?.contains(name) != true {
          columns[type.dataset, default: []].append(name)
        }
      }
    }
    return columns
  }

  /// - Parameters:
  ///   - query: of the form; all that it may hold.
  ///   - access: of who asks; what may not be read is not offered.
  func explorer(_ query: [String: String], for access: Access) throws(RequestError) -> Page {
    let served = definitions.current
    let sequences = served.definitions.sequences.filter { access.permits(sequence: $0.name) }
    let name = query["sequence"] ?? sequences.first?.name ?? ""
    guard let plan = served.plans[name], access.permits(sequence: name) else {
      throw RequestError(.notFound, "there is no sequence '\(name)' for you; see /v1/sequences")
    }
    let fields = plan.definition.fields.filter { access.permits(column: $0.name, of: name) }
    var choice = ExplorerPage.Choice(sequences: sequences, sequence: plan.definition, fields: fields)
    choice.user = query["user"] ?? ""
    choice.last = query["last"].flatMap { Int($0) } ?? min(100, plan.definition.maximumLength)
    choice.window = query["window"] ?? ""
    choice.until = query["until"] ?? ""
    choice.columns = choice.fields.map(\.name).filter { query[ExplorerPage.parameter($0)] != nil }
    var page = ExplorerPage(choice: choice)
    if !choice.user.isEmpty {
      do throws(RequestError) { page.result = try result(choice, plan, served, access) } catch {
        page.error = error.message
      }
    }
    return Page(title: "Explore", path: "/explore", note: "definitions \(served.label)", content: page.content)
  }

  private func result(
    _ choice: ExplorerPage.Choice, _ plan: SequencePlan, _ served: ServedDefinitions, _ access: Access
  ) throws(RequestError) -> ExplorerPage.Result {
    var parameters = ["last": String(choice.last)]
    if !choice.window.isEmpty { parameters["window"] = choice.window }
    if !choice.until.isEmpty { parameters["until"] = choice.until }
    if !choice.columns.isEmpty { parameters["columns"] = choice.columns.joined(separator: ",") }
    let query = try SequenceQuery(
      RequestParameters(query: parameters), plan: plan, access: access, nowMicros: Clock.nowMicros)
    var request = query.request(user: try served.user(choice.user, of: plan))
    let shown = request.columns
    let keys = [Field("ts", .timestampMicrosUTC), Field("event_type", .utf8)]
    request.columns = shown + keys.filter { key in !shown.contains { $0.name == key.name } }
    let found: SequenceEvents
    do throws(StoreError) { found = try store.read(request, of: plan).0.events } catch { throw RequestError(error) }
    return ExplorerPage.Result(
      events: found.events.selecting(shown.map(\.name)), keys: found.events.selecting(keys.map(\.name)), cut: found.cut,
      link: Self.link(choice, parameters))
  }

  private static func link(_ choice: ExplorerPage.Choice, _ parameters: [String: String]) -> String {
    let query = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\(PathEncoding.encode(component: $0.value))" }
    return
      "/v1/sequences/\(PathEncoding.encode(component: choice.sequence.name))/users/\(PathEncoding.encode(component: choice.user))?"
      + query.joined(separator: "&")
  }
}
