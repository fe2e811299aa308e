import Buffers

/// Tells where the records of a CSV text end: at newlines that stand in no quoted cell. Takes the text piece by piece.
/// - Source: RFC 4180; a quote within a cell that does not begin with one stands for itself.
struct CSVRecordEnds {
  private enum State {
    case cellStart
    case plain
    case quoted
    /// After a quote in a quoted cell: its end, or the first half of a quote.
    case quotedQuote
  }

  private var state = State.cellStart

  /// Takes the next byte; answers whether a record ends with it.
  mutating func isEnd(_ byte: UInt8) -> Bool {
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .quotedQuote
    case (.quoted, _): break
    case (.cellStart, UInt8(ascii: "\"")), (.quotedQuote, UInt8(ascii: "\"")): state = .quoted
    case (_, UInt8(ascii: "\n")):
      state = .cellStart
      return true
    case (_, UInt8(ascii: ",")): state = .cellStart
    default: state = .plain
    }
    return false
  }

  /// Takes the next bytes; answers which is the last that ends a record.
  mutating func last(in bytes: RawSpan) -> Int? {
    unsafe bytes.withUnsafeBytes { bytes in
      var last: Int?
      for index in bytes.indices where unsafe isEnd(bytes[index]) { last = index }
      return last
    }
  }

  /// The records of a text of whole ones, their newlines among them; the last may lack its own.
  static func records(of text: RawSpan) -> [Range<Int>] {
    unsafe text.withUnsafeBytes { bytes in
      var ends = CSVRecordEnds()
      var records: [Range<Int>] = []
      var start = 0
      for index in bytes.indices where unsafe ends.isEnd(bytes[index]) {
        records.append(start..<index + 1)
        start = index + 1
      }
      if start < bytes.count { records.append(start..<bytes.count) }
      return records
    }
  }
}
