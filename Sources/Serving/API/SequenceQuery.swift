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
  let form: SequenceForm
  let untilMicros: Int64
  private let fromMicros: Int64?
  private let knownAtMicros: Int64?

  /// The names of all parameters.
  static let parameters = [
    "last", "until", "since", "window", "types", "caps", "known_at", "version", "order", "columns", "timestamps",
    "layout", "view", "min_freshness", "min_coverage", "degrade",
  ]

  /// The names of the parameters that say times, in which requests of one form differ.
  static let timeParameters = ["until", "since", "known_at"]

  /// - Throws: 400 for what is no time.
  init(_ form: SequenceForm, _ parameters: RequestParameters, nowMicros: Int64) throws(RequestError) {
    self.form = form
    untilMicros = try parameters.time("until") ?? nowMicros
    fromMicros = form.start(since: try parameters.time("since"), until: untilMicros)
    knownAtMicros = try parameters.time("known_at")
  }

  /// The query as the store takes it.
  ///
  /// - Parameter keepsDictionaries: whether columns of texts may be dictionaries.
  func request(user: UserID, keepsDictionaries: Bool = false) -> SequenceRequest {
    var request = SequenceRequest(
      user: user, last: form.last, caps: form.caps, fromMicros: fromMicros, untilMicros: untilMicros,
      knownAtMicros: knownAtMicros, columns: form.columns)
    request.reading = form.reading
    request.view = form.view
    request.eventTypes = form.eventTypes
    request.keepsDictionaries = keepsDictionaries
    return request
  }
}
