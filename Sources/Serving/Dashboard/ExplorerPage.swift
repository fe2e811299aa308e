import Arrow
import Definitions
import DeltaLog
import JSONColumns
import JSONText
import SequenceStore

/// One user's sequence, to be looked at.
struct ExplorerPage {
  /// What the form holds, and what its fields may be.
  struct Choice {
    var sequences: [SequenceDefinition]
    var sequence: SequenceDefinition
    var user = ""
    var last = 100
    var window = ""
    var until = ""
    /// Names of columns; empty: all.
    var columns: [String] = []
    /// The columns that there are.
    var fields: [Field]
  }

  /// What was found.
  struct Result {
    var events: RecordBatch
    /// `ts` and `event_type` of the same events.
    var keys: RecordBatch
    var cut: Set<SequenceEvents.Cut>
    /// The request that gives the same as JSON.
    var link: String
  }

  var choice: Choice
  /// Nil before a user is named.
  var result: Result?
  /// Why there is no result.
  var error: String?

  /// Sessions are shown by this pause, in microseconds.
  private static let gapMicros: Int64 = 30 * 60 * 1_000_000

  var content: HTML { "\(form)\(failure)\(found)" }

  private var failure: HTML? { error.map { #"<p class="verdict bad" role="alert"><b>No answer.</b> \#($0)</p>"# } }

  /// The form's name of the box of a column.
  static func parameter(_ column: String) -> String { "column.\(column)" }

  // MARK: The form

  private var form: HTML {
    let options = choice.sequences.map { sequence -> HTML in
      let mark: HTML = sequence.name == choice.sequence.name ? " selected" : ""
      return "<option\(mark)>\(sequence.name)</option>"
    }
    let boxes = choice.fields.map { field -> HTML in
      let mark: HTML = choice.columns.isEmpty || choice.columns.contains(field.name) ? " checked" : ""
      return
        #"<label><input type="checkbox" name="\#(Self.parameter(field.name))" value="1"\#(mark)>\#(field.name)</label>"#
    }
    return """
      <form action="/explore" method="get" aria-label="Which events">
      <label class="half">Sequence <select name="sequence">\(options)</select></label>
      <label class="wide">User <input name="user" value="\(choice.user)" required autocomplete="off" placeholder="the user's key"></label>
      <label class="half">Last <input name="last" type="number" min="1" value="\(choice.last)" size="6"></label>
      <label class="half">Window <input name="window" value="\(choice.window)" placeholder="30d" size="6"></label>
      <label class="wide">Until <input name="until" value="\(choice.until)" placeholder="now, or 2026-11-20T12:00:00Z" size="22"></label>
      <fieldset><legend class="faint">Columns</legend>\(boxes)</fieldset>
      <button>Show</button>
      </form>

      """
  }

  // MARK: The events

  private var found: HTML {
    guard let result else { return "" }
    let count = result.events.rowCount
    guard count > 0 else { return "<p>Nothing is stored of this user within the window.</p>" }
    let cut = SequenceEvents.Cut.allCases.filter(result.cut.contains).map(\.rawValue).joined(separator: ", ")
    let timeline = timeline(of: result)
    let what = count == 1 ? "1 event" : "\(count) events"
    return """
      <h2>\(what) <small>\(cut.isEmpty ? "all of the window" : "cut by \(cut)") · <a href="\(result.link)">JSON</a></small></h2>
      \(timeline.legend)\(timeline.html)
      <h2>Newest first</h2>
      \(table(result, timeline))
      """
  }

  private func timeline(of result: Result) -> Timeline {
    let (times, names) = (result.keys.columns[0].values, Self.texts(result.keys, 1))
    let types = Array(Set(names)).sorted()
    let events = names.indices.map { row -> Timeline.Event in
      let micros = times.load(row, as: Int64.self)
      return Timeline.Event(
        micros: micros, type: types.firstIndex(of: names[row]) ?? 0,
        label: "\(names[row]) at \(CalendarText.timestamp(micros: micros))")
    }
    return Timeline(events: events, types: types, gapMicros: Self.gapMicros)
  }

  private func table(_ result: Result, _ timeline: Timeline) -> HTML {
    let fields = result.events.schema.fields
    let columns = fields.indices.map { Self.texts(result.events, $0) }
    let starts = Set(timeline.sessions.map(\.lowerBound))
    var rows: [HTML] = []
    for row in timeline.events.indices.reversed() {
      let cells = fields.indices.map { column -> HTML in "<td>\(Self.shortened(columns[column][row]))</td>" }
      let colour = Timeline.colour(timeline.events[row].type)
      let name = timeline.types[timeline.events[row].type]
      rows.append(
        #"<tr><th scope="row"><span class="dot" style="--mark: \#(colour)"></span>\#(name)</th>\#(cells)</tr>"#)
      if row > 0, starts.contains(row) {
        let pause = Double(timeline.events[row].micros - timeline.events[row - 1].micros) / 1e6
        rows.append(
          #"<tr class="gap"><td colspan="\#(fields.count + 1)">\#(Figures.duration(seconds: pause)) before</td></tr>"#)
      }
    }
    let head = fields.map { field -> HTML in #"<th scope="col">\#(field.name)</th>"# }
    return """
      <div class="panel"><div class="scroll" tabindex="0" role="region" aria-label="Events"><table aria-label="Events, newest first">
      <thead><tr><th scope="col">event</th>\(head)</tr></thead><tbody>\(rows)</tbody></table></div></div>

      """
  }

  /// A column's values as JSON writes them; texts without quotes, and nothing for null.
  private static func texts(_ batch: RecordBatch, _ column: Int) -> [String] {
    var output = JSONOutput(capacity: batch.rowCount * 16)
    JSONRowEncoder(batch).appendColumn(column, to: &output)
    let text = output.take()
    let values = (try? JSONValue(parsing: text.bytes))?.array ?? []
    return values.map { value in
      if case .null = value { return "" }
      return value.string ?? value.text
    }
  }

  private static func shortened(_ text: String) -> String { text.count > 60 ? text.prefix(59) + "…" : text }
}
