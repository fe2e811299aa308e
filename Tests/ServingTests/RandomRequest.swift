import JSONText
import TestSupport

/// A request for a user's events, and its answer by the plainest means.
struct RandomRequest {
  var sequence: String
  var user: JSONValue
  var last: Int?
  var windowMicros: Int64?
  var untilMicros: Int64
  var sinceMicros: Int64?
  var types: [String]?
  /// Beside those of the definition.
  var caps: [String: Int] = [:]
  var isNewestFirst = false
  var columns: [String]
  private var parameters: [String] = []
  /// The same as members of a batch's body.
  private(set) var members: [String: JSONValue] = [:]

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
    members["until"] = .integer(untilMicros / 1_000)
    if random.next() % 2 == 0 {
      last = [1, 7, 40, 1_000][Int(random.next() % 4)]
      parameters.append("last=\(last!)")
      members["last"] = .integer(Int64(last!))
    }
    if random.next() % 2 == 0 {
      let window = Self.windows[Int(random.next() % 4)]
      windowMicros = window.micros
      parameters.append("window=\(window.text)")
      members["window"] = .string(window.text)
    }
    if random.next() % 3 == 0 {
      sinceMicros = untilMicros - Int64(random.next() % 300_000) * 1_000_000
      parameters.append("since=\(sinceMicros! / 1_000)")
      members["since"] = .integer(sinceMicros! / 1_000)
    }
    let known = sequence == "all" ? ["click", "save", "view"] : ["save"]
    if random.next() % 3 == 0 {
      types = Array(known.shuffled(using: &random).prefix(1 + Int(random.next() % 2)))
      parameters.append("types=" + types!.joined(separator: ","))
      members["types"] = .array(types!.map { .string($0) })
    }
    if random.next() % 3 == 0 {
      for type in known where random.next() % 2 == 0 { caps[type] = 1 + Int(random.next() % 14) }
      if !caps.isEmpty { parameters.append("caps=" + caps.map { "\($0):\($1)" }.joined(separator: ",")) }
      members["caps"] = .object(caps.mapValues { .integer(Int64($0)) })
    }
    if random.next() % 3 == 0 {
      isNewestFirst = true
      parameters.append("order=newest")
      members["order"] = "newest"
    }
    if random.next() % 2 == 0 {
      columns = Array(columns.shuffled(using: &random).prefix(1 + Int(random.next() % UInt64(columns.count))))
      parameters.append("columns=" + columns.joined(separator: ","))
      members["columns"] = .array(columns.map { .string($0) })
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
  private func candidates(_ rows: [JSONValue], of user: JSONValue) -> [JSONValue] {
    rows.filter { row in
      let isWanted = sequence == "all" || (row["event_type"] == "save" && row["item_id"]?.integer ?? -1 >= 50)
      return isWanted && row["user_id"] == user && row["ts"]!.integer! < untilMicros
    }.sorted { Self.key($0) < Self.key($1) }
  }

  private static func key(_ row: JSONValue) -> (Int64, String, Int64) {
    (row["ts"]!.integer!, row["event_type"]!.string!, row["event_key"]!.integer!)
  }

  /// The events of the answer in its order, and whether they are all that the window has.
  func expected(_ rows: [JSONValue]) -> (events: [JSONValue], isWhole: Bool) { expected(rows, of: user) }

  func expected(_ rows: [JSONValue], of user: JSONValue) -> (events: [JSONValue], isWhole: Bool) {
    let limit = min(last ?? .max, sequence == "all" ? 40 : 500)
    let window = min(windowMicros ?? .max, sequence == "all" ? 4 * 86_400_000_000 : .max)
    let candidates = candidates(rows, of: user).filter { row in
      let ts = row["ts"]!.integer!
      return untilMicros - ts <= window && ts >= sinceMicros ?? .min
        && types?.contains(row["event_type"]!.string!) ?? true
    }
    let caps = caps.merging(sequence == "all" ? ["click": 10] : [:]) { min($0, $1) }
    var (taken, counts): ([JSONValue], [String: Int]) = ([], [:])
    for row in candidates.reversed() where taken.count < limit {
      let type = row["event_type"]!.string!
      counts[type, default: 0] += 1
      if counts[type]! > caps[type] ?? .max { continue }
      let members = columns.map { ($0, row[$0] ?? .null) }
      taken.append(JSONValue.object(Dictionary(uniqueKeysWithValues: members)).withoutNulls)
    }
    return (isNewestFirst ? taken : taken.reversed(), taken.count == candidates.count)
  }
}
