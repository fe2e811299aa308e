import Arrow
import Buffers
import DeltaLog
import JSONColumns
import JSONText
import SequenceStore

/// An answer as a JSON object: what it says of the data, then the events.
///
///     one user    {"sequence":…,…,"until":…,"user":"7","count":2,"cut":[…],"live":0,"events":[…]}
///     several     {"sequence":…,…,"until":…,"users":[{"user":"7","count":2,"cut":[…],"live":0,"events":[…]},…]}
struct JSONBody: PiecewiseBody {
  private let answer: SequenceAnswer
  /// The user that is written next, or being written.
  private var number = 0
  private var events: JSONEvents?
  private var isBegun = false
  private var isOver = false

  init(_ answer: SequenceAnswer) { self.answer = answer }

  mutating func whole() throws(StoreError) -> Buffer {
    var output = JSONOutput(capacity: 1_024 + answer.users.reduce(0) { $0 + $1.events.byteCount * 2 })
    try write(to: &output, rowCount: .max)
    return output.take()
  }

  mutating func next() throws(StoreError) -> Buffer? {
    if isOver { return nil }
    var output = JSONOutput(capacity: 1 << 16)
    try write(to: &output, rowCount: SequenceAnswer.pieceRowCount)
    return output.take()
  }

  private mutating func write(to output: inout JSONOutput, rowCount: Int) throws(StoreError) {
    if !isBegun { writeHead(to: &output) }
    isBegun = true
    var left = rowCount
    while number < answer.users.count, left > 0 {
      if events == nil { begin(answer.users[number], to: &output) }
      left -= max(1, try events!.write(to: &output, rowCount: left))
      guard events!.isOver else { continue }
      if !answer.isSingle { output.append("}") }
      events = nil
      number += 1
    }
    guard number == answer.users.count else { return }
    output.append(answer.isSingle ? "}\n" : "]}\n")
    isOver = true
  }

  private func writeHead(to output: inout JSONOutput) {
    output.append("{")
    output.append(json: answer.contract.json)
    output.append(json: #""until":"\#(rfc3339(answer.untilMicros))","#)
    if !answer.isSingle { output.append(#""users":["#) }
  }

  private mutating func begin(_ user: SequenceAnswer.User, to output: inout JSONOutput) {
    if !answer.isSingle { output.append(number == 0 ? "{" : ",{") }
    output.append(#""user":"#)
    output.append(string: user.text)
    output.append(
      json: #","count":\#(user.rowCount),"cut":\#(user.cutText),"live":\#(user.liveRowCount),"events":"#)
    events = JSONEvents(user, JSONEncodingOptions(timestamps: answer.timestamps), isColumnar: answer.isColumnar)
  }
}

/// One user's events as an array of objects, or as an object of arrays; written a number of rows at a time.
private struct JSONEvents {
  private let user: SequenceAnswer.User
  private let options: JSONEncodingOptions
  private let isColumnar: Bool
  private var column = 0
  private var row = 0
  private(set) var isOver = false

  init(_ user: SequenceAnswer.User, _ options: JSONEncodingOptions, isColumnar: Bool) {
    (self.user, self.options, self.isColumnar) = (user, options, isColumnar)
  }

  /// Writes some more rows; of an object of arrays the rows of each column count.
  /// - Returns: how many.
  mutating func write(to output: inout JSONOutput, rowCount: Int) throws(StoreError) -> Int {
    if isColumnar { return writeColumns(JSONRowEncoder(user.events, options: options), to: &output, rowCount) }
    output.append(row == 0 ? "[" : ",")
    let count: Int
    if let pieces = user.pieces {
      count = try writePiece(of: pieces, to: &output, rowCount)
    } else {
      let rows = rows(rowCount)
      JSONRowEncoder(user.events, options: options).appendElements(rows, to: &output)
      count = rows.count
    }
    row += count
    isOver = row == user.rowCount
    if isOver { output.append("]") }
    return count
  }

  private func writePiece(
    of pieces: EventPieces, to output: inout JSONOutput, _ rowCount: Int
  ) throws(StoreError) -> Int {
    guard let events = try pieces.next(rowCount) else { return 0 }
    JSONRowEncoder(events, options: options).appendElements(to: &output)
    return events.rowCount
  }

  /// The rows that are next.
  private func rows(_ count: Int) -> Range<Int> { row..<row + min(count, user.rowCount - row) }

  private mutating func writeColumns(
    _ encoder: borrowing JSONRowEncoder, to output: inout JSONOutput, _ rowCount: Int
  ) -> Int {
    var written = 0
    while !isOver, written < rowCount {
      let rows = rows(rowCount - written)
      if row == 0 { beginColumn(to: &output) } else { output.append(",") }
      encoder.appendElements(ofColumn: column, rows, to: &output)
      written += max(1, rows.count)
      row = rows.upperBound
      if row == user.rowCount { endColumn(to: &output) }
    }
    return written
  }

  private func beginColumn(to output: inout JSONOutput) {
    output.append(column == 0 ? "{" : ",")
    output.append(string: user.events.schema.fields[column].name)
    output.append(":[")
  }

  private mutating func endColumn(to output: inout JSONOutput) {
    output.append("]")
    (column, row) = (column + 1, 0)
    isOver = column == user.events.columns.count
    if isOver { output.append("}") }
  }
}

/// A time as RFC 3339 writes it, in UTC: to the millisecond, or to the microsecond where that says more.
func rfc3339(_ micros: Int64) -> String {
  let text = CalendarText.timestamp(micros: micros)
  let rest = (micros % 1_000 + 1_000) % 1_000
  return rest == 0 ? text : text.dropLast() + String(rest + 1_000).dropFirst() + "Z"
}

/// A quoted JSON string.
func jsonText(_ text: String) -> String { JSONValue.string(text).text }
