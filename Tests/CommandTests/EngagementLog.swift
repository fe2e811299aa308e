import TestSupport

/// The example's log of three days, for tests that backfill: generated once for each seed.
struct EngagementLog {
  /// Holds `raw/` and `items.ndjson`.
  let directory: String
  let definitions: String

  static let days = "2026-11-18..2026-11-20"
  static let datasets = ["engagements", "searches"]

  /// What the first runs had, and what later runs bring: both with late, repeated, corrected and malformed lines.
  static func old() throws -> EngagementLog { try first.get() }
  static func new() throws -> EngagementLog { try second.get() }

  private static let folder = TemporaryDirectory()
  private static let first = Result { try EngagementLog(seed: 1) }
  private static let second = Result { try EngagementLog(seed: 2) }
  private static let compiled = Result { try Fixtures.compile(example + "/definitions.py", name: "engagement.json") }
  private static let example = SharedData.packageRoot + "/examples/engagement"

  private init(seed: Int) throws {
    directory = "\(Self.folder.path)/\(seed)"
    definitions = try Self.compiled.get()
    let count = Commands.areOptimised ? 8_000 : 2_000
    let result = try Shell.run(
      "python3 '\(Self.example)/generate.py' '\(directory)' --events \(count) --seed \(seed)", in: "/")
    guard result.hasSucceeded else { throw ProgramFailure(description: result.errors) }
  }

  /// The five stages of a backfill into `store`, of which nothing stays.
  ///
  /// - Parameters:
  ///   - memory: so little that the events are sorted on disk.
  ///   - temporary: where they are sorted.
  func backfill(into store: String, memory: String = "2M", temporary: String) -> [[String]] {
    [
      ["seq-ingest", "--root", directory, "--date", Self.days],
      ["seq-filter"],
      ["seq-enrich", "--tables", directory],
      ["seq-assemble", "--memory", memory, "--temporary-directory", temporary],
      ["seq-index", "--store", store, "--replace", "all", "--horizon", "2030-01-01"],
    ]
  }

  var environment: [String: String] { ["SEQ_DEFINITIONS": definitions] }
}

/// A store in a test's hands.
struct StoreUnderTest {
  var path: String

  /// What each dataset holds: a digest of its rows, in any order; "" when there is no such dataset.
  func digests(_ datasets: [String] = EngagementLog.datasets) throws -> [String] {
    try datasets.map { dataset in
      guard SharedData.exists("\(path)/datasets/\(dataset)/_delta_log/00000000000000000001.json") else { return "" }
      let result = try Shell.run(
        "seq-store cat \(dataset) --store '\(path)' --format ndjson | sort | sha256sum", in: "/")
      guard result.hasSucceeded else { throw ProgramFailure(description: "\(path): \(result.errors)") }
      return result.output
    }
  }

  /// Nil when `seq-store verify` finds nothing wrong, else what it says.
  func fault() throws -> String? {
    let result = try Shell.run("seq-store verify --store '\(path)'", in: "/")
    return result.hasSucceeded ? nil : result.description
  }

  /// The files that are still in the temporary place.
  var leftovers: [String] { SharedData.names(in: "\(path)/tmp") }
}
