import DeltaLog
import Parquet

/// Which columns of a dataset take the room, by its files' footers. A footer is looked at once.
package struct ColumnStorage: Sendable {
  package struct Column: Sendable, Equatable {
    package var name: String
    /// Of all its pages, as they are stored.
    package var byteCount: Int
  }

  private let dataset: String
  /// Each column's place in `files`.
  private var places: [String: Int] = [:]
  /// Bytes by column, of each file by its path.
  private var files: [String: [Int]] = [:]

  package init(dataset: String) { self.dataset = dataset }

  /// Takes new files in, and forgets those that are gone.
  package mutating func move(to snapshot: StoreSnapshot) throws(StoreError) {
    var next: [String: [Int]] = [:]
    for file in snapshot.datasets[dataset]?.files ?? [] {
      if let known = files[file.path] { next[file.path] = known } else { next[file.path] = try byteCounts(of: file) }
    }
    files = next
  }

  private mutating func byteCounts(of file: StoreFile) throws(StoreError) -> [Int] {
    let parquet = try file.open().file
    let columns = parquet.schema.leaves.map { place(of: $0.path[0]) }
    var counts = [Int](repeating: 0, count: places.count)
    for group in parquet.metadata.rowGroups {
      for (column, chunk) in zip(columns, group.columns) {
        counts[column] += chunk.metadata?.totalCompressedByteCount ?? 0
      }
    }
    return counts
  }

  private mutating func place(of column: String) -> Int {
    if let known = places[column] { return known }
    places[column] = places.count
    return places.count - 1
  }

  /// The largest first.
  package var columns: [Column] {
    let all = places.map { name, place in
      Column(name: name, byteCount: files.values.reduce(0) { $0 + ($1.indices.contains(place) ? $1[place] : 0) })
    }
    return all.filter { $0.byteCount > 0 }.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
  }
}
