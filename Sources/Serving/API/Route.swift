import NIOHTTP1

/// What can be asked for, by path.
enum Route: Hashable {
  case overview, explorer, health, readiness, metrics
  case sequences
  case contract(sequence: String)
  case events(sequence: String, user: String)
  case batch(sequence: String)
  case unknown

  /// One of each, with nothing in the place of names.
  static let all: [Route] = [
    .overview, .explorer, .health, .readiness, .metrics, .sequences, .contract(sequence: ""),
    .events(sequence: "", user: ""), .batch(sequence: ""),
  ]

  private static let batchSuffix = ":batch"

  /// - Parameter path: decoded segments.
  init(_ path: [String]) {
    switch path.count {
    case 0: self = .overview
    case 1:
      self = ["explore": .explorer, "healthz": .health, "readyz": .readiness, "metrics": .metrics][path[0]] ?? .unknown
    case 2...5 where path[0] == "v1" && path[1] == "sequences": self = Self.sequences(path.dropFirst(2))
    default: self = .unknown
    }
  }

  private static func sequences(_ path: ArraySlice<String>) -> Route {
    guard let name = path.first else { return .sequences }
    switch path.count {
    case 1 where name.hasSuffix(batchSuffix): return .batch(sequence: String(name.dropLast(batchSuffix.count)))
    case 1: return .contract(sequence: name)
    case 3 where path[path.startIndex + 1] == "users": return .events(sequence: name, user: path[path.startIndex + 2])
    default: return .unknown
    }
  }

  /// Its template: never the path itself, so that users do not become labels.
  var template: String {
    switch self {
    case .overview: "/"
    case .explorer: "/explore"
    case .health: "/healthz"
    case .readiness: "/readyz"
    case .metrics: "/metrics"
    case .sequences: "/v1/sequences"
    case .contract: "/v1/sequences/{sequence}"
    case .events: "/v1/sequences/{sequence}/users/{user}"
    case .batch: "/v1/sequences/{sequence}:batch"
    case .unknown: "unknown"
    }
  }

  /// The sequence that it names, if any, perhaps with a version.
  var sequence: String? {
    switch self {
    case .contract(let sequence), .events(let sequence, _), .batch(let sequence): sequence
    default: nil
    }
  }

  /// The methods that it takes; none where there is nothing.
  var methods: [HTTPMethod] {
    switch self {
    case .unknown: []
    case .batch: [.POST]
    default: [.GET, .HEAD]
    }
  }
}
