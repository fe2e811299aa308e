import DeltaLog

/// One user's events over time: a lane for each event type, with the sessions behind them.
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
    let bands = sessions.filter { $0.count > 1 }.map { session -> HTML in
      let (start, end) = (place(events[session.lowerBound].micros), place(events[session.upperBound - 1].micros))
      return #"<b style="left: \#(Self.percent(start)); width: calc(\#(Self.percent(end - start)) + 1em)"></b>"#
    }
    let lanes = types.indices.map { type -> HTML in
      let marks = events.filter { $0.type == type }.map { event -> HTML in
        #"<i style="left: \#(Self.percent(place(event.micros)))" title="\#(event.label)"></i>"#
      }
      return """
        <div class="lane"><span>\(types[type])</span>\
        <div class="track" style="--mark: \(Self.colour(type))">\(bands)\(marks)</div></div>

        """
    }
    let summary =
      "\(events.count) events of \(types.count) types in \(sessions.count) sessions, "
      + "from \(Figures.time(millis: first.micros / 1_000)) to \(Figures.time(millis: last.micros / 1_000))"
    return """
      <div class="timeline" role="img" aria-label="\(summary)">
      \(lanes)<div class="lane"><span></span><div class="axis">\(ticks)</div></div></div>

      """
  }

  /// Where a time lies between the first event and the last, in 0…1.
  private func place(_ micros: Int64) -> Double {
    guard let first = events.first, let last = events.last, last.micros > first.micros else { return 0.5 }
    return Double(micros - first.micros) / Double(last.micros - first.micros)
  }

  /// Times along the axis; every other one goes where there is little room.
  private var ticks: [HTML] {
    guard let first = events.first, let last = events.last, last.micros > first.micros else {
      return events.first.map {
        ["<span></span><span></span><span>\(Figures.time(millis: $0.micros / 1_000))</span><span></span>"]
      } ?? []
    }
    return (0...4).map { step -> HTML in
      "<span>\(Figures.time(millis: (first.micros + (last.micros - first.micros) / 4 * Int64(step)) / 1_000))</span>"
    }
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

  private static func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10)%" }
}
