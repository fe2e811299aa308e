import DeltaLog
import Frames

/// Reads the files that were added to a Delta table since a version, and says up to which version.
package final class DeltaSource: StageSource {
  private var units: ArraySlice<InputUnit>

  /// - Parameters:
  ///   - since: the last version that is not wanted; nil reads the whole table.
  ///   - positions: how far a store has the table; it counts where `since` is nil.
  /// - Throws: `TableError` when commits after that version were cleaned up.
  package init(_ paths: [String], since: Int64? = nil, positions: SourcePositionLookup? = nil) throws {
    units = []
    for path in paths {
      let name = Self.sourceName(path)
      let table = DeltaTable(path: path)
      let snapshot = try table.snapshot()
      let version = since ?? positions?[name]
      let files = try version.map { try Self.added(to: table, snapshot, since: $0) } ?? snapshot.files
      units += files.map { .rows(TableRows(part: .deltaFile($0, table, snapshot))) }
      units.append(.position(.position(source: name, partition: nil, offset: snapshot.version)))
    }
  }

  package func next() -> InputUnit? { units.popFirst() }

  /// The table's name in positions.
  private static func sourceName(_ path: String) -> String {
    "delta:" + FilePattern.absolute(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
  }

  /// The files that commits after `version` added with new rows; what only moved is left out.
  private static func added(to table: DeltaTable, _ snapshot: Snapshot, since version: Int64) throws -> [AddFile] {
    guard version <= snapshot.version else {
      throw TableError(
        path: table.path, reason: "version \(version) is not there yet; the latest is \(snapshot.version)")
    }
    var files: [AddFile] = []
    for wanted in version + 1..<snapshot.version + 1 {
      let actions: [Action]
      do { actions = try table.commit(wanted) } catch {
        throw TableError(
          path: table.path, reason: "commit \(wanted) cannot be read (\(error)); read the whole table instead")
      }
      for case .add(let file) in actions where file.dataChange { files.append(file) }
    }
    return files
  }
}

/// A table that cannot be read as asked.
package struct TableError: Error, CustomStringConvertible {
  package var path: String
  package var reason: String

  package var description: String { "\(path): \(reason)" }
}

extension DeltaTable {
  /// Whether a directory is a Delta table.
  package static func isTable(_ path: String) -> Bool { FileStatus(path: path + "/_delta_log") != nil }
}
