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

  /// - Throws: `CSVError` for an open quote or a record with more or fewer cells than the first.
  func ndjson(_ text: RawSpan) throws(CSVError) -> Buffer {
    var cells = CSVCells(text)
    var output = BufferBuilder(capacity: text.byteCount * 2)
    guard let names = try cells.nextRecord()?.map(\.text) else { return .empty }
    while let record = try cells.nextRecord() {
      if record.count == 1, record[0].isNull { continue }
      guard record.count == names.count else {
        throw CSVError(line: cells.line, reason: "\(record.count) cells where the header has \(names.count)")
      }
      output.append(utf8: "{" + zip(names, record).map(member).joined(separator: ",") + "}\n")
    }
    return output.finish()
  }

  private func member(_ name: String, _ cell: CSVCells.Cell) -> String {
    let value = cell.isNull ? "null" : literalColumns.contains(name) ? cell.text : JSONValue.string(cell.text).text
    return JSONValue.string(name).text + ":" + value
  }
}

/// What is wrong with a CSV text.
package struct CSVError: Error, CustomStringConvertible {
  /// From 1, counting newlines within quotes.
  package var line: Int
  package var reason: String

  package var description: String { "line \(line): \(reason)" }
}

/// Walks a CSV text record by record.
private struct CSVCells {
  struct Cell {
    var text: String
    var isNull: Bool
  }

  private let bytes: [UInt8]
  private var position = 0
  private(set) var line = 0

  init(_ text: RawSpan) {
    bytes = unsafe text.withUnsafeBytes { unsafe Array($0) }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func nextRecord() throws(CSVError) -> [Cell]? {
    guard position < bytes.count else { return nil }
    line += 1
    var cells: [Cell] = []
    while true {
      cells.append(try nextCell())
      guard position < bytes.count else { return cells }
      let separator = bytes[position]
      position += 1
      if separator == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
        position += 1
      }
      if separator != UInt8(ascii: ",") { return cells }
      if position == bytes.count {
        cells.append(Cell(text: "", isNull: true))
        return cells
      }
    }
  }

  private mutating func nextCell() throws(CSVError) -> Cell {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quotedCell() }
    let start = position
    while position < bytes.count,
      ![UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(bytes[position])
    {
      position += 1
    }
    return Cell(text: String(decoding: bytes[start..<position], as: UTF8.self), isNull: start == position)
  }

  private mutating func quotedCell() throws(CSVError) -> Cell {
    let firstLine = line
    var text: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\n") { line += 1 }
      guard byte == UInt8(ascii: "\"") else {
        text.append(byte)
        continue
      }
      guard position < bytes.count, bytes[position] == byte else {
        return Cell(text: String(decoding: text, as: UTF8.self), isNull: false)
      }
      text.append(byte)
      position += 1
    }
    throw CSVError(line: firstLine, reason: "a quoted cell does not end")
  }
}
