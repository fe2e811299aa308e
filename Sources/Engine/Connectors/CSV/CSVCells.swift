import Buffers

/// Walks a CSV text record by record.
struct CSVCells {
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

/// What is wrong with a CSV text.
package struct CSVError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable, CustomStringConvertible {
    case missingColumn(String)
    case repeatedColumn(String)
    case cellCount(Int, expected: Int)
    case openQuote
    case textAfterQuote
  }

  /// Where the record begins, from 1; newlines within quotes count.
  package var line: Int
  package var reason: Reason

  package var description: String { "line \(line): \(reason)" }
}

extension CSVError.Reason {
  package var description: String {
    switch self {
    case .missingColumn(let name): "there is no column '\(name)'"
    case .repeatedColumn(let name): "there are two columns '\(name)'"
    case .cellCount(let found, let expected): "a record of \(found) cells where the header has \(expected)"
    case .openQuote: "a quoted cell does not end"
    case .textAfterQuote: "a quoted cell goes on after its closing quote"
    }
  }
}
