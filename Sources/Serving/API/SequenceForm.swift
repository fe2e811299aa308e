import Arrow
import Definitions
import JSONColumns
import SequenceStore

/// What a request for events asks for, but of whom and for what time: what it has in common with most others. Shared by
/// threads.
final class SequenceForm: Sendable {
  let plan: SequencePlan
  /// The type of the keys of the sequence's users.
  let userType: DataType
  let lookups: [SequenceLookup]
  /// Whether columns of one of these are answered.
  let answersLookups: Bool
  /// The most rows that an answer has.
  let last: Int
  /// How long before its end the window begins; nil: with the first event.
  private let windowMicros: Int64?
  let eventTypes: Set<String>?
  let caps: [String: Int]
  let columns: [Field]
  let reading: ColumnReading
  let view: SequenceRequest.View

  let isNewestFirst: Bool
  let timestamps: JSONTimestampForm
  let isColumnar: Bool
  let demands: Demands

  /// - Throws: 400 for what cannot be, 403 for columns that are not the caller's, 409 for another version.
  init(
    _ parameters: RequestParameters, of plan: SequencePlan, in served: ServedDefinitions, for access: Access
  ) throws(RequestError) {
    let sequence = plan.definition
    try parameters.check(known: SequenceQuery.parameters)
    try sequence.check(version: parameters)
    self.plan = plan
    userType = served.userType(of: plan)
    lookups = served.lookups[sequence.name] ?? []
    last = min(try parameters.count("last") ?? sequence.maximumLength, sequence.maximumLength)
    windowMicros = [try parameters.duration("window"), sequence.windowMicros].compactMap(\.self).min()
    eventTypes = try Self.types(parameters, sequence)
    caps = try Self.caps(parameters, sequence)
    isNewestFirst = try parameters.choice("order", [("oldest", false), ("newest", true)]) ?? false
    view = try Self.view(parameters, sequence)
    columns = try Self.columns(parameters, sequence, view, access)
    reading = ColumnReading(columns, of: plan)
    let names = columns.map(\.name)
    answersLookups = lookups.contains { $0.brings(anyOf: names) }
    timestamps = try parameters.choice("timestamps", JSONTimestampForm.allCases.map { ($0.symbol, $0) }) ?? .rfc3339
    isColumnar = try parameters.choice("layout", [("rows", false), ("columns", true)]) ?? false
    demands = try Demands(parameters)
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

  /// The user that a request names.
  /// - Throws: 400 when the text is no key of the sequence's users.
  func user(_ text: String) throws(RequestError) -> UserID {
    guard let user = UserID(text, type: userType) else {
      throw RequestError(.badRequest, "user '\(text)' is no \(userType)")
    }
    return user
  }

  /// Where the window begins that ends at `until`: the later one of the bounds that are given.
  func start(since: Int64?, until: Int64) -> Int64? {
    guard let windowMicros else { return since }
    let (start, overflow) = until.subtractingReportingOverflow(windowMicros)
    return max(overflow ? .min : start, since ?? .min)
  }

  /// Whether all events of the window are read, however few rows are answered.
  var readsWholeWindow: Bool { view == .objects }

  /// Whether events can be given out as they are read: the oldest first, a row after the other, and none need be known before.
  var isReadInPieces: Bool { !isNewestFirst && !isColumnar && view == .events && !demands.mindCoverage }
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
