import Arrow
import Definitions
import DeltaLog
import JSONColumns
import NIOHTTP1
import SequenceStore

/// The parameters of a request for a user's events.
///
///     last=100        at most so many, the newest; the definition's length at most
///     window=30d      only those of the last 30 days before `until`
///     until=…         only those before this time: RFC 3339, or milliseconds since 1970; now when absent
///     columns=a,b     these columns, derived ones included, in this order
///     timestamps=ms   timestamps as integers in s, ms or us, instead of text (JSON) or timestamp[us, UTC] (Arrow)
///     layout=columns  JSON with an array per column, instead of an object per event
///     view=objects    a row per item instead of one per event, where the definition has objects
struct SequenceQuery {
  var last: Int
  var windowMicros: Int64?
  var untilMicros: Int64
  var columns: [Field]
  var timestamps: JSONTimestampForm = .rfc3339
  var isColumnar = false
  var view = SequenceRequest.View.events

  private static let names: Set<String> = ["last", "window", "until", "columns", "timestamps", "layout", "view"]

  init(
    _ query: [String: String], plan: SequencePlan, access: Access, nowMicros: Int64
  ) throws(RequestError) {
    if let unknown = query.keys.sorted().first(where: { !Self.names.contains($0) }) {
      throw RequestError(
        .badRequest, "there is no parameter '\(unknown)'; use \(Self.names.sorted().joined(separator: ", "))")
    }
    let sequence = plan.definition
    last = try Self.last(query["last"], limit: sequence.maximumLength)
    windowMicros = try Self.window(query["window"], limit: sequence.windowMicros)
    untilMicros = try query["until"].map { text throws(RequestError) in try Self.time(text) } ?? nowMicros
    view = try Self.view(query["view"], sequence)
    columns = try Self.columns(query["columns"], sequence, view, access)
    if let form = query["timestamps"] { timestamps = try Self.form(form) }
    switch query["layout"] {
    case nil, "rows": break
    case "columns": isColumnar = true
    case let text?: throw RequestError(.badRequest, "layout '\(text)' is neither rows nor columns")
    }
  }

  private static func last(_ text: String?, limit: Int) throws(RequestError) -> Int {
    guard let text else { return limit }
    guard let count = Int(text), count > 0 else {
      throw RequestError(.badRequest, "last '\(text)' is no number above 0")
    }
    return min(count, limit)
  }

  private static func window(_ text: String?, limit: Int64?) throws(RequestError) -> Int64? {
    guard let text else { return limit }
    guard let micros = DurationText.parse(text), micros > 0 else {
      throw RequestError(.badRequest, "window '\(text)' is no duration such as 30d, 12h or 90m")
    }
    return limit.map { min($0, micros) } ?? micros
  }

  private static func time(_ text: String) throws(RequestError) -> Int64 {
    if let millis = Int64(text) {
      let (micros, overflow) = millis.multipliedReportingOverflow(by: 1_000)
      if !overflow { return micros }
    }
    guard let micros = CalendarText.micros(text) else {
      throw RequestError(.badRequest, "until '\(text)' is neither RFC 3339 nor milliseconds since 1970")
    }
    return micros
  }

  private static func view(
    _ text: String?, _ sequence: SequenceDefinition
  ) throws(RequestError) -> SequenceRequest.View {
    guard let text else { return .events }
    guard let view = SequenceRequest.View(rawValue: text) else {
      throw RequestError(.badRequest, "view '\(text)' is neither events nor objects")
    }
    if view == .objects, sequence.objects == nil {
      throw RequestError(.badRequest, "sequence '\(sequence.name)' has no objects; leave view out")
    }
    return view
  }

  /// The columns that are named; without names, those of the view that the caller may read.
  private static func columns(
    _ text: String?, _ sequence: SequenceDefinition, _ view: SequenceRequest.View, _ access: Access
  ) throws(RequestError) -> [Field] {
    let known = view == .objects ? sequence.objectFields : sequence.fields
    guard let text else {
      let fields = known.filter { access.permits(column: $0.name, of: sequence.name) }
      if fields.isEmpty { throw RequestError(.forbidden, "no column of sequence '\(sequence.name)' is yours to read") }
      return fields
    }
    var fields: [Field] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let field = known.first(where: { $0.name == name }) else {
        let names = known.map(\.name).joined(separator: ", ")
        throw RequestError(.badRequest, "sequence '\(sequence.name)' has no column '\(name)'; it has \(names)")
      }
      guard access.permits(column: field.name, of: sequence.name) else {
        throw RequestError(.forbidden, "column '\(name)' of sequence '\(sequence.name)' is not yours to read")
      }
      if fields.contains(where: { $0.name == name }) {
        throw RequestError(.badRequest, "columns names '\(name)' twice")
      }
      fields.append(field)
    }
    return fields
  }

  private static func form(_ text: String) throws(RequestError) -> JSONTimestampForm {
    guard let form = JSONTimestampForm.allCases.first(where: { $0.symbol == text }) else {
      throw RequestError(.badRequest, "timestamps '\(text)' is none of s, ms, us and rfc3339")
    }
    return form
  }

  /// The query as the store takes it.
  func request(user: UserID, sequence: SequenceDefinition) -> SequenceRequest {
    let start = windowMicros.map { untilMicros.subtractingReportingOverflow($0) }
    var request = SequenceRequest(
      user: user, last: last, caps: Dictionary(sequence.caps.map { ($0.eventType, $0.count) }) { $1 },
      fromMicros: start.map { $0.overflow ? .min : $0.partialValue }, untilMicros: untilMicros, columns: columns)
    request.view = view
    return request
  }
}
