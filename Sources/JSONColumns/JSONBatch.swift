import Arrow

/// What a decoder made of the lines it was given since the last batch.
package struct JSONBatch: Sendable {
  /// A column per field and a row per good line, in order.
  package var batch: RecordBatch
  /// The bad lines, in order.
  package var rejections: [JSONRejection]
  /// For each field: how many values had the wrong type and became null, in good lines.
  package var mismatches: [Int]
  /// How many lines there were: good, bad and blank.
  package var lineCount: Int
  /// How many lines held nothing but blanks; they are neither rows nor rejected.
  package var blankCount: Int
}
