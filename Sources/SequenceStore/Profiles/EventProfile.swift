import Definitions
import JSONText

/// What some events of one type are like, without one of them.
package struct EventProfile: Sendable, Equatable {
  package private(set) var rowCount: Int
  /// By column. `seen_at` counts by how many seconds after it happened an event arrived. Of large files some rows are looked at.
  package private(set) var columns: [String: ColumnProfile]

  package init(rowCount: Int = 0, columns: [String: ColumnProfile] = [:]) {
    self.rowCount = rowCount
    self.columns = columns
  }

  package mutating func add(_ other: EventProfile) {
    rowCount += other.rowCount
    for (name, column) in other.columns { columns[name, default: ColumnProfile(column.bins)].add(column) }
  }

  /// How late events arrived, in seconds.
  package var lag: ColumnProfile? { columns[SystemColumns.seenAt] }
}

/// A type's events of one hour of a day.
package struct TypeHour: Sendable, Hashable {
  package var eventType: String
  /// 0…23, UTC.
  package var hour: Int

  package init(_ eventType: String, hour: Int) {
    self.eventType = eventType
    self.hour = hour
  }
}

/// What the events of a data file are like.
///
///     {"file": "bucket=2026-11-20/shard=00/….parquet",
///      "hours": [{"type": "click", "hour": 9, "rows": 120, "columns": {"item_id": {"bins": "numbers", …}}}]}
struct FileProfile: Sendable, Equatable {
  /// Below the table; a file's name follows from its content.
  var file: String
  var hours: [TypeHour: EventProfile]

  init(file: String, hours: [TypeHour: EventProfile]) {
    self.file = file
    self.hours = hours
  }

  var json: JSONValue {
    let sorted = hours.sorted { ($0.key.eventType, $0.key.hour) < ($1.key.eventType, $1.key.hour) }
    return [
      "file": .string(file),
      "hours": .array(
        sorted.map { key, profile in
          [
            "type": .string(key.eventType), "hour": .integer(Int64(key.hour)),
            "rows": .integer(Int64(profile.rowCount)), "columns": .object(profile.columns.mapValues(\.json)),
          ]
        }),
    ]
  }

  /// Nil for anything else.
  init?(_ json: JSONValue) {
    guard let file = json["file"]?.string, let entries = json["hours"]?.array else { return nil }
    var hours: [TypeHour: EventProfile] = [:]
    for entry in entries {
      guard let type = entry["type"]?.string, let hour = entry["hour"]?.integer, (0..<24).contains(hour),
        let rows = entry["rows"]?.integer, (0...Int64(ColumnProfile.countLimit)).contains(rows),
        let members = entry["columns"]?.object
      else { return nil }
      let columns = members.compactMapValues { ColumnProfile($0) }
      guard columns.count == members.count else { return nil }
      hours[TypeHour(type, hour: Int(hour))] = EventProfile(rowCount: Int(rows), columns: columns)
    }
    self.init(file: file, hours: hours)
  }
}
