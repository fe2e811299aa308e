// STORE/profiles/
//   DATASET/2026-11-20.ndjson   what a day's events are like: a line for each data file, see FileProfile
//   DATASET/history.json        how its columns and definitions came to be: see TableHistory
//   anomalies.json              what is not as it was in the weeks before: see AnomalyReport
import DeltaLog
import Engine
import JSONText

/// The profiles of a dataset's last weeks.
struct ProfileDirectory: Sendable {
  private let path: String

  init(_ store: StoreDirectory, dataset: String) { path = "\(store.profiles)/\(dataset)" }

  private func file(_ day: Day) -> String { "\(path)/\(day).ndjson" }

  /// The days that have a profile, ascending.
  func days() throws(StoreError) -> [Day] {
    try StoreDirectory.names(in: path).compactMap { name in
      name.hasSuffix(".ndjson") ? Day(String(name.dropLast(7))) : nil
    }.sorted()
  }

  /// The profiles of a day's files; lines that are none are left out, and their files profiled again.
  func profiles(of day: Day) -> [FileProfile] {
    guard let text = try? OpenFile.text(of: file(day)) else { return [] }
    return text.split(separator: "\n").compactMap { line in
      (try? JSONValue(parsing: String(line))).flatMap { FileProfile($0) }
    }
  }

  func replace(_ profiles: [FileProfile], of day: Day) throws(StoreError) {
    try StoreDirectory.make(path)
    let text = profiles.map { $0.json.text + "\n" }.joined()
    do { try OpenFile.replaceText(of: file(day), with: text) } catch { throw .system(error) }
  }

  func remove(_ day: Day) { removeFile(file(day)) }

  /// What is known of the table's commits; nothing where that cannot be read.
  var history: TableHistory {
    let text = try? OpenFile.text(of: "\(path)/history.json")
    return text.flatMap { try? JSONValue(parsing: $0) }.flatMap { TableHistory($0) } ?? TableHistory()
  }

  func replaceHistory(by history: TableHistory) throws(StoreError) {
    try StoreDirectory.make(path)
    do { try OpenFile.replaceText(of: "\(path)/history.json", with: history.json.text + "\n") } catch {
      throw .system(error)
    }
  }
}

extension StoreDirectory {
  var profiles: String { path + "/profiles" }

  /// What a dataset's commits tell, as far as they were read when profiles were last made.
  package func tableHistory(_ dataset: String) -> TableHistory { ProfileDirectory(self, dataset: dataset).history }
}
