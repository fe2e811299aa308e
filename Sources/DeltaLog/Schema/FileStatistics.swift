import JSONText

/// What a file's `stats` say about its rows, for skipping files that a reader does not need.
/// - Source: Delta `PROTOCOL.md`, "Per-file Statistics".
package struct FileStatistics: Sendable, Equatable {
  package var rowCount: Int64
  /// A lower bound of each simple column; text may be cut short, times are rounded down to milliseconds.
  package var minValues: [String: JSONValue]
  /// An upper bound of each simple column; text may end in a tie-breaker, times are rounded **down** to milliseconds.
  package var maxValues: [String: JSONValue]
  package var nullCount: [String: JSONValue]

  package init(
    rowCount: Int64, minValues: [String: JSONValue] = [:], maxValues: [String: JSONValue] = [:],
    nullCount: [String: JSONValue] = [:]
  ) {
    self.rowCount = rowCount
    self.minValues = minValues
    self.maxValues = maxValues
    self.nullCount = nullCount
  }

  /// The statistics that `text` holds; nil when it is no such JSON, for they are only a help.
  package init?(parsing text: String) {
    guard let value = try? JSONValue(parsing: text), let rows = value["numRecords"]?.integer else { return nil }
    self.init(
      rowCount: rows, minValues: value["minValues"]?.object ?? [:], maxValues: value["maxValues"]?.object ?? [:],
      nullCount: value["nullCount"]?.object ?? [:])
  }

  package var text: String {
    JSONValue.object([
      "numRecords": .integer(rowCount), "minValues": .object(minValues), "maxValues": .object(maxValues),
      "nullCount": .object(nullCount),
    ]).text
  }

  /// The range of a timestamp column in microseconds, widened by the millisecond that writers cut off.
  package func timestampRange(_ column: String) -> ClosedRange<Int64>? {
    guard let low = minValues[column]?.string.flatMap({ CalendarText.micros($0) }),
      let high = maxValues[column]?.string.flatMap({ CalendarText.micros($0) }), low <= high
    else { return nil }
    return low...high + 999
  }

  /// The longest text kept as a bound.
  package static let textLimit = 32

  /// A lower bound of texts: the first characters.
  package static func lowerBound(_ text: String) -> JSONValue {
    .string(String(String.UnicodeScalarView(text.unicodeScalars.prefix(textLimit))))
  }

  /// An upper bound of texts: the first characters and a tie-breaker; nil when none of them leaves room for it.
  package static func upperBound(_ text: String) -> JSONValue? {
    guard text.unicodeScalars.count > textLimit else { return .string(text) }
    return .string(String(String.UnicodeScalarView(text.unicodeScalars.prefix(textLimit))) + "\u{10FFFF}")
  }
}
