import Buffers
import Definitions
import JSONText

/// Writes the records of a CSV text as the NDJSON that a source declares, so that one decoder with one set of rules reads logs
/// and tables.
///
/// A column's name is the path of a declared field, or the start of one where its cells are JSON objects or arrays; other
/// columns are left out. An empty cell without quotes is null. Where a number, boolean or JSON value is declared the cell
/// stands as it is; one that is no JSON becomes a text, which the decoder counts as a value of the wrong type.
struct CSVRows {
  /// What of a line comes before a cell's value.
  private struct Piece {
    var before: String
    var cell: Int
    var isText: Bool
  }

  private var pieces: [Piece] = []
  private var end = ""
  private let names: [String]

  /// - Parameters:
  ///   - names: of the columns.
  ///   - fields: of the source.
  init(_ names: [String], _ fields: [SourceField]) {
    self.names = names
    let columns = names.enumerated().filter { fields.read($0.element) }.map { index, name in
      let type = fields.first { $0.path.columnName == name }?.type
      return (path: name.split(separator: "."), cell: index, isText: type?.isText ?? false)
    }
    var text = ""
    add(columns, after: &text)
    end = text
  }

  /// Whether a field of that name can have values.
  func hasColumn(for field: String) -> Bool { names.contains { field == $0 || field.hasPrefix($0 + ".") } }

  /// Columns whose names have dots are members of objects: `a.b` and `a.c` become `a`.
  private mutating func add(_ columns: [(path: [Substring], cell: Int, isText: Bool)], after text: inout String) {
    text += "{"
    var names: [Substring] = []
    for column in columns where !names.contains(column.path[0]) { names.append(column.path[0]) }
    for (place, name) in names.enumerated() {
      text += (place > 0 ? "," : "") + JSONValue.string(String(name)).text + ":"
      let own = columns.filter { $0.path[0] == name }
      if let whole = own.first(where: { $0.path.count == 1 }) {
        pieces.append(Piece(before: text, cell: whole.cell, isText: whole.isText))
        text = ""
      } else {
        add(own.map { (Array($0.path.dropFirst()), $0.cell, $0.isText) }, after: &text)
      }
    }
    text += "}"
  }

  /// A line for a record, without its newline.
  /// - Throws: `CSVError` for more or fewer cells than columns; its line is the record's first.
  func line(_ record: [CSVCells.Cell]) throws(CSVError) -> String {
    guard record.count == names.count else {
      throw CSVError(line: 1, reason: .cellCount(record.count, expected: names.count))
    }
    var text = ""
    for piece in pieces {
      text += piece.before
      let cell = record[piece.cell]
      text += cell.isNull ? "null" : piece.isText ? JSONValue.string(cell.text).text : Self.value(cell.text)
    }
    return text + end
  }

  private static func value(_ text: String) -> String {
    guard let value = try? JSONValue(parsing: text) else { return JSONValue.string(text).text }
    if case .number = value { return text }
    return value.text
  }
}

extension FieldType {
  /// Whether a JSON string holds its values.
  fileprivate var isText: Bool { self == .scalar(.utf8) || self == .timestamp(.rfc3339) }
}
