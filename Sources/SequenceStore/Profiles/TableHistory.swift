import Definitions
import DeltaLog
import JSONText

/// How a dataset's columns and definitions came to be what they are, by its table's commits.
///
/// It is a small value that goes on from where it stands: only newer commits are read.
package struct TableHistory: Sendable, Equatable {
  /// A column that came, went, or changed its type.
  package struct ColumnChange: Sendable, Equatable {
    package var column: String
    /// Nil when it was not there before.
    package var before: String?
    /// Nil when it is gone.
    package var after: String?
    package var commit: Commit
  }

  /// A version of the table.
  package struct Commit: Sendable, Equatable {
    package var version: Int64
    /// Since 1970; 0 where the commit does not say.
    package var millis: Int64
    /// Those that the rows were written with, as `version:digest`; empty where no commit said yet.
    package var definitions: String
  }

  /// The last version that was read; −1 for none.
  package private(set) var version: Int64 = -1
  /// The latest first.
  package private(set) var columnChanges: [ColumnChange] = []
  /// Commits whose rows were written with other definitions than those before, the latest first.
  package private(set) var rollouts: [Commit] = []
  /// The definitions that rows were last written to a day with.
  private var definitionsByDay: [Day: String] = [:]
  /// Types by column, as the last commit that said so has them; nil before the first.
  private var columns: [String: String]?

  private static let changeLimit = 100
  private static let dayLimit = 100

  package init() {}

  /// The definitions that a day's rows were last written with; where no commit says, those of the latest commit.
  package func definitions(of day: Day) -> String? { definitionsByDay[day] ?? definitions }

  /// The definitions of the latest rows.
  package var definitions: String? { rollouts.first?.definitions }

  /// Reads the commits until `version`.
  ///
  /// - Parameter limit: of commits: of more only the newest are read.
  package mutating func advance(_ table: DeltaTable, to version: Int64, limit: Int = .max) throws(DeltaError) {
    guard version != self.version else { return }
    if version < self.version { self = TableHistory() }
    let known = self.version
    let versions = try table.commitVersions().filter { $0 > known && $0 <= version }.sorted()
    for version in versions.suffix(limit) { apply(try table.commit(version), version: version) }
    self.version = version
  }

  private mutating func apply(_ actions: [Action], version: Int64) {
    var commit = Commit(version: version, millis: actions.timestampMillis ?? 0, definitions: definitions ?? "")
    if let stated = actions.definitions {
      commit.definitions = stated
      if stated != definitions { rollouts = Array(([commit] + rollouts).prefix(Self.changeLimit)) }
    }
    for action in actions {
      switch action {
      case .metadata(let metadata): note(metadata, commit)
      case .add(let file) where actions.definitions != nil: note(file, commit)
      default: break
      }
    }
    if definitionsByDay.count > Self.dayLimit {
      for day in definitionsByDay.keys.sorted().dropLast(Self.dayLimit) { definitionsByDay[day] = nil }
    }
  }

  private mutating func note(_ file: AddFile, _ commit: Commit) {
    guard case .day(let day)? = file.bucket else { return }
    definitionsByDay[day] = commit.definitions
  }

  private mutating func note(_ metadata: TableMetadata, _ commit: Commit) {
    guard let schema = try? DeltaSchema.parse(metadata.schemaString) else { return }
    let types = schema.fields.map { ($0.name, $0.metadata[TableLayout.definedType] ?? "\($0.type)") }
    let next = Dictionary(types) { first, _ in first }
    defer { columns = next }
    guard let columns else { return }
    let changed = Set(columns.keys).union(next.keys).filter { columns[$0] != next[$0] }.sorted()
    let changes = changed.map {
      ColumnChange(column: $0, before: columns[$0], after: next[$0], commit: commit)
    }
    columnChanges = Array((changes + columnChanges).prefix(Self.changeLimit))
  }
}

extension CommitProposal {
  /// The operation's parameter that names the definitions.
  static let definitions = "definitions"
}

extension [Action] {
  /// The definitions that the commit's rows were written with; nil where it brings none, or does not say.
  fileprivate var definitions: String? {
    for case .commitInfo(let info) in self {
      return info.members["operationParameters"]?[CommitProposal.definitions]?.string
    }
    return nil
  }
}

// MARK: As JSON

extension TableHistory {
  var json: JSONValue {
    [
      "version": .integer(version), "columns": columns.map { .object($0.mapValues { .string($0) }) } ?? .null,
      "changes": .array(columnChanges.map(\.json)), "rollouts": .array(rollouts.map(\.json)),
      "days": .object(
        Dictionary(definitionsByDay.map { ($0.key.description, .string($0.value)) }) { first, _ in first }),
    ]
  }

  /// Nil for anything else.
  init?(_ json: JSONValue) {
    guard let version = json["version"]?.integer, let changes = json["changes"]?.array,
      let rollouts = json["rollouts"]?.array, let days = json["days"]?.object
    else { return nil }
    self.version = version
    columns = json["columns"]?.object?.compactMapValues(\.string)
    columnChanges = changes.compactMap { ColumnChange($0) }
    self.rollouts = rollouts.compactMap { Commit($0) }
    for (name, label) in days {
      if let day = Day(name), let label = label.string { definitionsByDay[day] = label }
    }
  }
}

extension TableHistory.Commit {
  fileprivate var json: JSONValue {
    ["version": .integer(version), "millis": .integer(millis), "definitions": .string(definitions)]
  }

  fileprivate init?(_ json: JSONValue) {
    guard let version = json["version"]?.integer, let millis = json["millis"]?.integer,
      let definitions = json["definitions"]?.string
    else { return nil }
    self.init(version: version, millis: millis, definitions: definitions)
  }
}

extension TableHistory.ColumnChange {
  fileprivate var json: JSONValue {
    [
      "column": .string(column), "before": before.map { .string($0) } ?? .null,
      "after": after.map { .string($0) } ?? .null, "commit": commit.json,
    ]
  }

  fileprivate init?(_ json: JSONValue) {
    guard let column = json["column"]?.string, let commit = json["commit"].flatMap({ TableHistory.Commit($0) }) else {
      return nil
    }
    self.init(column: column, before: json["before"]?.string, after: json["after"]?.string, commit: commit)
  }
}
