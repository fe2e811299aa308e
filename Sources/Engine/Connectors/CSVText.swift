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

/// What is wrong with a CSV text.
package struct CSVError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case missingColumn(String)
    case cellCount(Int, expected: Int)
    case openQuote
    case textAfterQuote
  }

  /// Where the record begins, from 1; newlines within quotes count.
  package var line: Int
  package var reason: Reason

  package var description: String {
    let fact =
      switch reason {
      case .missingColumn(let name): "there is no column '\(name)'"
      case .cellCount(let found, let expected): "\(found) cells where the header has \(expected)"
      case .openQuote: "a quoted cell does not end"
      case .textAfterQuote: "a quoted cell goes on after its closing quote"
      }
    return "line \(line): \(fact)"
  }
}

/// Walks a CSV text record by record.
private struct CSVCells {
  struct Cell {
    var text: String
    var isNull: Bool
  }

  private let bytes: [UInt8]
  private var position = 0
  /// The lines that were begun.
  private var line = 0
  /// Where the last record begins, from 1.
  private(set) var firstLine = 0

  init(_ text: RawSpan) {
    bytes = unsafe text.withUnsafeBytes { unsafe Array($0) }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func nextRecord() throws(CSVError) -> [Cell]? {
    guard position < bytes.count else { return nil }
    line += 1
    firstLine = line
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
    while position < bytes.count, !Self.endsCell(bytes[position]) { position += 1 }
    return Cell(text: String(decoding: bytes[start..<position], as: UTF8.self), isNull: start == position)
  }

  private static func endsCell(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  private mutating func quotedCell() throws(CSVError) -> Cell {
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
        guard position == bytes.count || Self.endsCell(bytes[position]) else {
          throw CSVError(line: firstLine, reason: .textAfterQuote)
        }
        return Cell(text: String(decoding: text, as: UTF8.self), isNull: false)
      }
      text.append(byte)
      position += 1
    }
    throw CSVError(line: firstLine, reason: .openQuote)
  }
}
