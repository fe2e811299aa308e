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
  private let requests: @Sendable () -> RequestCounts
  /// The time of day, in microseconds.
  private let now: @Sendable () -> Int64
  private let storeHealth: StoreHealth
  private let watch: RequestWatch
  private let history: MetricHistory
  private let state = Mutex(State())

  private struct State {
    var sampledAt: Int64 = .min
    /// What had been counted then.
    var requests = RequestCounts()
  }

  /// Between two samples, in seconds; a week of them is remembered.
  private static let sampleInterval: Int64 = 300

  /// - Parameters:
  ///   - directory: of the store, which also keeps the history.
  ///   - requests: how requests went since the start.
  ///   - now: the time of day, in microseconds.
  init(
    _ definitions: DefinitionsView, _ store: StoreView, in directory: StoreDirectory,
    requests: @escaping @Sendable () -> RequestCounts, now: @escaping @Sendable () -> Int64
  ) {
    self.definitions = definitions
    self.store = store
    self.directory = directory
    self.requests = requests
    self.now = now
    storeHealth = StoreHealth(directory)
    history = MetricHistory(path: directory.history)
    watch = RequestWatch(path: directory.requestHistory, report: AnomalyReport(file: directory.requestAnomalies))
  }

  // MARK: Remembering

  /// Takes a sample when one is due.
  /// - Throws: when a table's log cannot be read, or the history not written.
  func sample() throws {
    let seconds = now() / 1_000_000
    let isDue = state.withLock { state in
      guard directory.exists, seconds / Self.sampleInterval != state.sampledAt / Self.sampleInterval else {
        return false
      }
      state.sampledAt = seconds
      return true
    }
    guard isDue else { return }
    try directory.makeHistoryDirectory()
    let counts = requests()
    let report = try watch.look(at: counts, seconds: seconds, definitions: definitions.current.label)
    if let report { try OpenFile.replaceText(of: directory.requestAnomalies, with: report.json.text + "\n") }
    try history.add(MetricHistory.Sample(seconds: seconds, values: try values(counts)))
  }

  /// What is remembered of this moment, and of the requests since the last one.
  private func values(_ counts: RequestCounts) throws -> [String: Double] {
    let live = store.liveStatistics
    var values = [MetricName.liveRows: Double(live.rowCounts.values.reduce(0, +))]
    for (type, micros) in live.delayMicros { values[MetricName.delay(type)] = Double(micros) / 1e6 }
    for dataset in try storeHealth.look(at: store.snapshot).datasets {
      values[MetricName.smallFiles(dataset.dataset)] = Double(dataset.smallFileCount)
      values[MetricName.storedRows, default: 0] += Double(dataset.rowCount)
    }
    values[MetricName.anomalies] = Double(anomalies.count(where: \.isOpen))
    let past = state.withLock { state in
      defer { state.requests = counts }
      return state.requests
    }
    for (party, series) in counts.changes(since: past) {
      values[MetricName.rate(party)] = Double(series.times.count) / Double(Self.sampleInterval)
      values.merge(series.quality(of: party)) { $1 }
    }
    return values
  }

  /// What is unlike before, the latest first: of events as it was found last, and of requests.
  private var anomalies: [Anomaly] {
    let events = (try? storeHealth.look(at: store.snapshot))?.report?.anomalies ?? []
    return (events + (watch.report?.anomalies ?? [])).sorted { $0.atMicros > $1.atMicros }
  }

  /// - Source: Prometheus text exposition format 0.0.4.
  var metrics: String {
    var text = PrometheusText()
    text.add(
      "seqline_anomaly", .gauge, "1: something is not as it was in the weeks before.",
      anomalies.filter(\.isOpen).map { ($0.labels, 1) })
    let report = (try? storeHealth.look(at: store.snapshot))?.report
    if let report {
      text.add(
        "seqline_profiled_timestamp_seconds", .gauge, "When events were last compared with the weeks before.",
        Double(report.madeMicros) / 1e6)
    }
    return text.text
  }

  /// How the datasets do now; what is known of their pasts is not read again.
  func health() throws(StoreError) -> [DatasetHealth] { try storeHealth.look(at: store.snapshot).datasets }

  // MARK: Pages

  func overview() throws(StoreError) -> Page {
    let (served, snapshot) = (definitions.current, store.snapshot)
    let look = try storeHealth.look(at: snapshot)
    var page = OverviewPage(served, look, live: store.liveStatistics, history: history, nowMicros: now())
    page.anomalies = anomalies
    page.requests = requests()
    for dataset in look.datasets {
      page.columns[dataset.dataset] = try storeHealth.columns(of: dataset.dataset, at: snapshot)
    }
    return Page(title: "Overview", path: "/", note: "definitions \(served.label)", content: page.content)
  }

  /// - Parameters:
  ///   - query: of the form; all that it may hold.
  ///   - access: of who asks; what may not be read is not offered.
  func explorer(_ query: HTTPQuery, for access: Access) throws(RequestError) -> Page {
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
    let text = Self.query(parameters)
    let asked = RequestParameters(query: try HTTPQuery(text))
    let form = try SequenceForm(asked, of: plan, in: served, for: access)
    let query = try SequenceQuery(form, asked, nowMicros: now())
    var request = query.request(user: try form.user(choice.user))
    let shown = request.columns
    let keys = [Field("ts", .timestampMicrosUTC), Field("event_type", .utf8)]
    request.columns = shown + keys.filter { key in !shown.contains { $0.name == key.name } }
    let found: SequenceEvents
    do throws(StoreError) { found = try store.read(request, of: plan).0.events } catch { throw RequestError(error) }
    return ExplorerPage.Result(
      events: found.events.selecting(shown.map(\.name)), keys: found.events.selecting(keys.map(\.name)), cut: found.cut,
      link: Self.path(choice) + "?" + text)
  }

  private static func path(_ choice: ExplorerPage.Choice) -> String {
    let (sequence, user) = (choice.sequence.name, choice.user)
    return "/v1/sequences/\(PathEncoding.encode(component: sequence))/users/\(PathEncoding.encode(component: user))"
  }

  private static func query(_ parameters: [String: String]) -> String {
    parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\(PathEncoding.encode(component: $0.value))" }
      .joined(separator: "&")
  }
}

extension Anomaly {
  /// As metrics name it.
  fileprivate var labels: PrometheusText.Labels {
    let names = [
      ("kind", subject.kind.rawValue), ("dataset", subject.dataset), ("event_type", subject.eventType),
      ("column", subject.column), ("sequence", subject.sequence), ("tenant", subject.tenant),
      ("since", since.description), ("definitions", definitions),
    ]
    return names.compactMap { name, value in value.map { (name, $0) } }
  }
}
