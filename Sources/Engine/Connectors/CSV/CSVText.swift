import Buffers
import JSONText

/// Rewrites CSV records as NDJSON, so that one decoder with one set of rules reads both.
///
/// The first record names the columns. A cell becomes a JSON string, or stands as it is where the column holds numbers,
/// booleans or arrays; an empty cell without quotes is null.
/// - Source: RFC 4180.
struct CSVText {
  /// The columns whose cells are JSON already (numbers, booleans, arrays).
  var literalColumns: Set<String>

  /// The records, each as the line on which it begins in the CSV: blank lines stand for all others.
  ///
  /// - Throws: `CSVError` for an open quote, text after a quoted cell, a record with more or fewer cells than the first, or
  ///   a first record that lacks one of `columns`.
  func ndjson(_ text: RawSpan, columns: [String]) throws(CSVError) -> Buffer {
    var cells = CSVCells(text)
    var output = BufferBuilder(capacity: text.byteCount * 2)
    let names = try cells.nextRecord()?.map(\.text) ?? []
    if let missing = columns.first(where: { !names.contains($0) }) {
      throw CSVError(line: 1, reason: .missingColumn(missing))
    }
    var line = 1
    while let record = try cells.nextRecord() {
      if record.count == 1, record[0].isNull { continue }
      guard record.count == names.count else {
        throw CSVError(line: cells.firstLine, reason: .cellCount(record.count, expected: names.count))
      }
      output.append(repeating: UInt8(ascii: "\n"), count: cells.firstLine - line)
      output.append(utf8: "{" + zip(names, record).map(member).joined(separator: ",") + "}\n")
      line = cells.firstLine + 1
    }
    return output.finish()
  }

  private func member(_ name: String, _ cell: CSVCells.Cell) -> String {
    let value = cell.isNull ? "null" : literalColumns.contains(name) ? literal(cell) : JSONValue.string(cell.text).text
    return JSONValue.string(name).text + ":" + value
  }

  /// JSON on one line.
  private func literal(_ cell: CSVCells.Cell) -> String {
    String(decoding: cell.text.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }
}
