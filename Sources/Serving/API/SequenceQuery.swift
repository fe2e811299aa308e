import Arrow
import Definitions
import JSONColumns
import NIOHTTP1
import SequenceStore

/// What a request for events asks for.
///
///     last=100              at most so many, the newest; the definition's length at most
///     until=…               only those before this time: RFC 3339, or milliseconds since 1970; now when absent
///     since=…               only those at or after this time
///     window=30d            only those of the last 30 days before `until`
///     types=save,click      only those of these event types
///     caps=save:10,click:5  at most so many of a type, the newest; the definition's caps at most
///     known_at=…            only what had arrived by this time, as it was then
///     version=1             the sequence's version that is expected: 1, or home_feed@1
///     order=newest          the newest first; oldest when absent
///     columns=a,b           these columns, derived ones included, in this order
///     timestamps=ms         timestamps as integers in s, ms or us, instead of text (JSON) or timestamp[us, UTC] (Arrow)
///     layout=columns        JSON with an array per column, instead of an object per event
///     view=objects          a row per item instead of one per event, where the definition has objects
///     min_freshness=5m      503 when an event type is further behind its source
///     min_coverage=0.95     503 when a look-up found less: of all, or item:0.95
///     degrade=1             says so in the answer instead
struct SequenceQuery {
  /// Of the store's request, what does not depend on the user.
  private var last: Int
  private var fromMicros: Int64?
  let untilMicros: Int64
  let eventTypes: Set<String>?
  private var caps: [String: Int]
  private var knownAtMicros: Int64?
  private var columns: [Field]
  private var view = SequenceRequest.View.events

  let isNewestFirst: Bool
  let timestamps: JSONTimestampForm
  let isColumnar: Bool
  let demands: Demands

  /// The names of all parameters.
  static let parameters = [
    "last", "until", "since", "window", "types", "caps", "known_at", "version", "order", "columns", "timestamps",
    "layout", "view", "min_freshness", "min_coverage", "degrade",
  ]

  /// - Throws: 400 for what cannot be, 403 for columns that are not the caller's, 409 for another version.
  init(
    _ parameters: RequestParameters, plan: SequencePlan, access: Access, nowMicros: Int64
  ) throws(RequestError) {
    let sequence = plan.definition
    try parameters.check(known: Self.parameters)
    try sequence.check(version: parameters)
    last = min(try parameters.count("last") ?? sequence.maximumLength, sequence.maximumLength)
    untilMicros = try parameters.time("until") ?? nowMicros
    fromMicros = try Self.start(parameters, until: untilMicros, limit: sequence.windowMicros)
    eventTypes = try Self.types(parameters, sequence)
    caps = try Self.caps(parameters, sequence)
    knownAtMicros = try parameters.time("known_at")
    isNewestFirst = try parameters.choice("order", [("oldest", false), ("newest", true)]) ?? false
    view = try Self.view(parameters, sequence)
    columns = try Self.columns(parameters, sequence, view, access)
    timestamps = try parameters.choice("timestamps", JSONTimestampForm.allCases.map { ($0.symbol, $0) }) ?? .rfc3339
    isColumnar = try parameters.choice("layout", [("rows", false), ("columns", true)]) ?? false
    demands = try Demands(parameters)
  }

  /// The later one of the bounds that are given; the definition's window is the earliest.
  private static func start(
    _ parameters: RequestParameters, until: Int64, limit: Int64?
  ) throws(RequestError) -> Int64? {
    let since = try parameters.time("since")
    let window = [try parameters.duration("window"), limit].compactMap(\.self).min()
    let start = window.map { window in
      let (start, overflow) = until.subtractingReportingOverflow(window)
      return overflow ? .min : start
    }
    return [since, start].compactMap(\.self).max()
  }

  private static func types(
    _ parameters: RequestParameters, _ sequence: SequenceDefinition
  ) throws(RequestError) -> Set<String>? {
    guard let names = try parameters.names("types") else { return nil }
    for name in names { try sequence.check(eventType: name) }
    return Set(names)
  }

  private static func caps(
    _ parameters: RequestParameters, _ sequence: SequenceDefinition
  ) throws(RequestError) -> [String: Int] {
    var caps = Dictionary(sequence.caps.map { ($0.eventType, $0.count) }) { $1 }
    for (name, count) in try parameters.counts("caps") ?? [] {
      try sequence.check(eventType: name)
      caps[name] = min(caps[name] ?? .max, count)
    }
    return caps
  }

  private static func view(
    _ parameters: RequestParameters, _ sequence: SequenceDefinition
  ) throws(RequestError) -> SequenceRequest.View {
    let view = try parameters.choice("view", SequenceRequest.View.allCases.map { ($0.rawValue, $0) }) ?? .events
    if view == .objects, sequence.objects == nil {
      throw RequestError(.badRequest, "sequence '\(sequence.name)' has no objects; leave view out")
    }
    return view
  }

  /// The columns that are named; without names, those of the view that the caller may read.
  private static func columns(
    _ parameters: RequestParameters, _ sequence: SequenceDefinition, _ view: SequenceRequest.View, _ access: Access
  ) throws(RequestError) -> [Field] {
    func known() -> [Field] { view == .objects ? sequence.objectFields : sequence.fields }
    guard let names = try parameters.names("columns") else {
      let fields = known().filter { access.permits(column: $0.name, of: sequence.name) }
      if fields.isEmpty { throw RequestError(.forbidden, "no column of sequence '\(sequence.name)' is yours to read") }
      return fields
    }
    var fields: [Field] = []
    for name in names {
      let plain = view == .objects ? nil : sequence.columns.first { $0.name == name }
      guard let field = plain ?? known().first(where: { $0.name == name }) else {
        let names = known().map(\.name).joined(separator: ", ")
        throw RequestError(.badRequest, "sequence '\(sequence.name)' has no column '\(name)'; it has \(names)")
      }
      guard access.permits(column: field.name, of: sequence.name) else {
        throw RequestError(.forbidden, "column '\(name)' of sequence '\(sequence.name)' is not yours to read")
      }
      fields.append(field)
    }
    return fields
  }

  /// The most rows that an answer has.
  var maximumRowCount: Int { last }

  /// Whether all events of the window are read, however few rows are answered.
  var readsWholeWindow: Bool { view == .objects }

  /// Whether events can be given out as they are read: the oldest first, a row after the other, and none need be known before.
  var isReadInPieces: Bool { !isNewestFirst && !isColumnar && view == .events && !demands.mindCoverage }

  /// The query as the store takes it.
  ///
  /// - Parameter keepsDictionaries: whether columns of texts may be dictionaries.
  func request(user: UserID, keepsDictionaries: Bool = false) -> SequenceRequest {
    var request = SequenceRequest(
      user: user, last: last, caps: caps, fromMicros: fromMicros, untilMicros: untilMicros,
      knownAtMicros: knownAtMicros, columns: columns)
    request.view = view
    request.eventTypes = eventTypes
    request.keepsDictionaries = keepsDictionaries
    return request
  }
}

extension SequenceDefinition {
  fileprivate func check(eventType name: String) throws(RequestError) {
    guard !eventTypes.contains(name) else { return }
    let names = eventTypes.joined(separator: ", ")
    throw RequestError(.badRequest, "sequence '\(self.name)' has no event type '\(name)'; it has \(names)")
  }

  /// Its name and version, as a caller may write them.
  var label: String { "\(name)@\(version)" }

  /// - Throws: 409 when it is not the version that is expected.
  func check(version expected: Int) throws(RequestError) {
    guard expected != version else { return }
    throw RequestError(.conflict, "sequence '\(name)' is served in version \(version), not \(expected)")
  }

  fileprivate func check(version parameters: RequestParameters) throws(RequestError) {
    guard let expected = try parameters.version("version", of: name) else { return }
    try check(version: expected)
  }
}
