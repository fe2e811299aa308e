import JSONText
import TestSupport

/// A request for a user's events, and its answer by the plainest means.
struct RandomRequest {
  var sequence: String
  var user: JSONValue
  var last: Int?
  var windowMicros: Int64?
  var untilMicros: Int64
  var columns: [String]
  private var parameters: [String] = []

  private static let windows: [(text: String, micros: Int64)] = [
    ("90m", 5_400_000_000), ("12h", 43_200_000_000), ("2d", 172_800_000_000), ("1w", 604_800_000_000),
  ]

  init(isText: Bool, using random: inout SeededRandom) {
    sequence = random.next() % 3 == 0 ? "saves" : "all"
    user = ServedStore.user(Int(random.next() % 44), isText: isText)
    let offset = Int64(random.next() % 500_000) * 1_000
    untilMicros = ServedStore.startMicros + offset * 1_000
    columns =
      sequence == "all" ? ["ts", "event_type", "item_id", "text", "score", "tags", "user_id"] : ["ts", "item_id"]
    parameters = ["until=\(untilMicros / 1_000)"]
    if random.next() % 2 == 0 {
      last = [1, 7, 40, 1_000][Int(random.next() % 4)]
      parameters.append("last=\(last!)")
    }
    if random.next() % 2 == 0 {
      let window = Self.windows[Int(random.next() % 4)]
      windowMicros = window.micros
      parameters.append("window=\(window.text)")
    }
    if random.next() % 2 == 0 {
      columns = Array(columns.shuffled(using: &random).prefix(1 + Int(random.next() % UInt64(columns.count))))
      parameters.append("columns=" + columns.joined(separator: ","))
    }
  }

  /// The target, with `more` parameters.
  func target(_ more: String...) -> String {
    let name = user.string ?? user.text
    return "/v1/sequences/\(sequence)/users/\(Self.escaped(name))?" + (parameters + more).joined(separator: "&")
  }

  /// - Source: RFC 3986, 2.3: all but the unreserved characters.
  static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
      return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  /// The events that the sequence can show, cut by nothing but `until`; oldest first.
  private func candidates(_ rows: [JSONValue]) -> [JSONValue] {
    rows.filter { row in
      let isWanted = sequence == "all" || (row["event_type"] == "save" && row["item_id"]?.integer ?? -1 >= 50)
      return isWanted && row["user_id"] == user && row["ts"]!.integer! < untilMicros
    }.sorted { Self.key($0) < Self.key($1) }
  }

  private static func key(_ row: JSONValue) -> (Int64, String, Int64) {
    (row["ts"]!.integer!, row["event_type"]!.string!, row["event_key"]!.integer!)
  }

  /// The events of the answer, oldest first, and whether they are all that the window has.
  func expected(_ rows: [JSONValue]) -> (events: [JSONValue], isWhole: Bool) {
    let limit = min(last ?? .max, sequence == "all" ? 40 : 500)
    let window = min(windowMicros ?? .max, sequence == "all" ? 4 * 86_400_000_000 : .max)
    let candidates = candidates(rows).filter { untilMicros - $0["ts"]!.integer! <= window }
    var (taken, clicks): ([JSONValue], Int) = ([], 0)
    for row in candidates.reversed() where taken.count < limit {
      if row["event_type"] == "click", sequence == "all" {
        clicks += 1
        if clicks > 10 { continue }
      }
      let members = columns.map { ($0, row[$0] ?? .null) }
      taken.append(JSONValue.object(Dictionary(uniqueKeysWithValues: members)).withoutNulls)
    }
    return (taken.reversed(), taken.count == candidates.count)
  }
}
