import DeltaLog

/// One user's events over time: a row for each event type, with the sessions behind them.
struct Timeline {
  struct Event {
    var micros: Int64
    /// Into `types`.
    var type: Int
    var label: String
  }

  /// Oldest first.
  var events: [Event]
  var types: [String]
  /// A longer pause begins a session.
  var gapMicros: Int64

  private static let (width, left, rowHeight) = (1_000.0, 120.0, 26.0)

  /// Where sessions begin and end among the events.
  var sessions: [Range<Int>] {
    var sessions: [Range<Int>] = []
    var start = 0
    for index in events.indices.dropFirst() where events[index].micros - events[index - 1].micros > gapMicros {
      sessions.append(start..<index)
      start = index
    }
    if !events.isEmpty { sessions.append(start..<events.count) }
    return sessions
  }

  var html: HTML {
    guard let first = events.first, let last = events.last else { return "" }
    let height = Double(types.count) * Self.rowHeight + 30
    let span = Double(max(1, last.micros - first.micros))
    func x(_ micros: Int64) -> Double {
      Self.left + 10 + Double(micros - first.micros) / span * (Self.width - Self.left - 24)
    }
    let bands = sessions.filter { $0.count > 1 }.map { session -> HTML in
      let (start, end) = (x(events[session.lowerBound].micros), x(events[session.upperBound - 1].micros))
      return
        #"<rect x="\#(Self.text(start - 5))" y="4" width="\#(Self.text(end - start + 10))" height="\#(Self.text(height - 30))" rx="4"/>"#
    }
    let rows = types.enumerated().map { index, name -> HTML in
      let y = Self.y(index)
      return """
        <line x1="\(Self.text(Self.left))" x2="990" y1="\(Self.text(y))" y2="\(Self.text(y))"/>\
        <text x="\(Self.text(Self.left - 8))" y="\(Self.text(y + 4))" text-anchor="end">\(Self.shortened(name))</text>
        """
    }
    let marks = events.map { event -> HTML in
      """
      <circle cx="\(Self.text(x(event.micros)))" cy="\(Self.text(Self.y(event.type)))" r="5" style="--mark: \(Self.colour(event.type))">\
      <title>\(event.label)</title></circle>
      """
    }
    let summary = "\(events.count) events of \(types.count) types in \(sessions.count) sessions"
    return """
      <div class="timeline"><svg viewBox="0 0 1000 \(Self.text(height))" role="img" aria-label="\(summary)">
      \(bands)\(rows)\(marks)
      <text x="\(Self.text(Self.left + 10))" y="\(Self.text(height - 8))">\(Figures.time(millis: first.micros / 1_000))</text>
      <text x="986" y="\(Self.text(height - 8))" text-anchor="end">\(Figures.time(millis: last.micros / 1_000))</text>
      </svg></div>

      """
  }

  /// The names with their colours.
  var legend: HTML {
    let entries = types.enumerated().map { index, name -> HTML in
      let count = events.count { $0.type == index }
      return
        #"<li><span class="dot" style="--mark: \#(Self.colour(index))"></span>\#(name) <span class="faint">\#(count)</span></li>"#
    }
    return #"<ul class="legend" aria-label="Event types">\#(entries)</ul>"#
  }

  static func colour(_ type: Int) -> String { "var(--c\(type % Stylesheet.colourCount))" }

  private static func y(_ row: Int) -> Double { Double(row) * rowHeight + 18 }
  private static func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
  private static func shortened(_ name: String) -> String { name.count > 17 ? name.prefix(16) + "…" : name }
}
