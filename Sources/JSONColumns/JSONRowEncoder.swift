import Arrow
import Buffers

/// How values that JSON has no type for are written.
package struct JSONEncodingOptions: Sendable, Hashable {
  /// RFC 3339 text, or the number of units since 1970, rounded down.
  package var timestamps: JSONTimestampForm
  /// Whether a null column is written as `"name":null` rather than left out.
  package var writesNulls: Bool

  package init(timestamps: JSONTimestampForm = .rfc3339, writesNulls: Bool = false) {
    self.timestamps = timestamps
    self.writesNulls = writesNulls
  }
}

/// Writes the rows of a record batch as JSON objects, or a column's values as a JSON array.
///
/// Integers and decimals are written with all their digits, floats in the shortest text that reads back as the same
/// number, infinities and NaN as null; binary as base64; dates, times and timestamps as RFC 3339 text, durations as
/// `"1.500s"`; a map with string keys as an object, any other as an array of `{"key":…,"value":…}`.
package struct JSONRowEncoder: ~Copyable {
  private let batch: RecordBatch
  private let options: JSONEncodingOptions
  private let values: ValueTree
  private let roots: [Int]
  private let object: Int

  package init(_ batch: RecordBatch, options: JSONEncodingOptions = JSONEncodingOptions()) {
    var builder = ValueTreeBuilder(options: options)
    roots = zip(batch.schema.fields, batch.columns).map { builder.add($1, name: $0.name) }
    object = builder.addObject(roots)
    values = builder.finish()
    self.batch = batch
    self.options = options
  }

  /// Appends the rows as NDJSON: an object and a newline each.
  package func appendLines(_ rows: Range<Int>? = nil, to output: inout JSONOutput) {
    for row in checked(rows) {
      append(row, to: &output)
      output.append(UInt8(ascii: "\n"))
    }
  }

  /// Appends the rows as an array of objects.
  package func appendArray(_ rows: Range<Int>? = nil, to output: inout JSONOutput) {
    output.append(UInt8(ascii: "["))
    appendElements(rows, to: &output)
    output.append(UInt8(ascii: "]"))
  }

  /// Appends the rows as a part of an array: objects with commas between them.
  package func appendElements(_ rows: Range<Int>? = nil, to output: inout JSONOutput) {
    let rows = checked(rows)
    for row in rows {
      if row > rows.lowerBound { output.append(UInt8(ascii: ",")) }
      append(row, to: &output)
    }
  }

  /// Appends a column's values as an array.
  package func appendColumn(_ column: Int, _ rows: Range<Int>? = nil, to output: inout JSONOutput) {
    output.append(UInt8(ascii: "["))
    appendElements(ofColumn: column, rows, to: &output)
    output.append(UInt8(ascii: "]"))
  }

  /// Appends a column's values as a part of an array, with commas between them.
  package func appendElements(ofColumn column: Int, _ rows: Range<Int>? = nil, to output: inout JSONOutput) {
    let rows = checked(rows)
    for row in rows {
      if row > rows.lowerBound { output.append(UInt8(ascii: ",")) }
      values.append(roots[column], row, to: &output)
    }
  }

  /// Appends one row as an object.
  package func append(_ row: Int, to output: inout JSONOutput) {
    values.appendObject(object, row, to: &output)
  }

  private func checked(_ rows: Range<Int>?) -> Range<Int> {
    let rows = rows ?? 0..<batch.rowCount
    precondition(rows.lowerBound >= 0 && rows.upperBound <= batch.rowCount, "rows \(rows) of \(batch.rowCount)")
    return rows
  }
}
