extension LineWalker {
  /// Reads the value of a declared node into its slots.
  mutating func typedValue(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    let first = text[start]
    switch nodes[node].kind {
    case .string where first == UInt8(ascii: "\""):
      return string(Int(nodes[node].slots), start, at, row, isEscaped: isEscaped)
    case .object where first == UInt8(ascii: "{"): return nested(node, at, row)
    case .array where first == UInt8(ascii: "["): return array(node, at, row)
    case .string, .object, .array, .other: return mismatch(node, at, row)
    case .raw: return skip(at, isEscaped: isEscaped)
    case .timestamp: return timestampNumber(node, at, row)
    case .rfc3339: return timestampText(node, at, row)
    case .fixedSizeList: return fixedSizeList(node, at, row)
    case .bool: return boolean(node, at, row)
    default: return number(node, at, row) ? at &+ 1 : mismatch(node, at, row)
    }
  }

  /// Reads a number into the slots of a node of a number's type.
  private mutating func number(_ node: Int, _ at: Int, _ row: Int) -> Bool {
    let (start, next) = (tokens[at], tokens[at &+ 1])
    let column = Int(nodes[node].slots)
    switch nodes[node].kind {
    case .int8: return store(text.integer(start, before: next).flatMap { Int8(exactly: $0) }, column, row)
    case .int16: return store(text.integer(start, before: next).flatMap { Int16(exactly: $0) }, column, row)
    case .int32: return store(text.integer(start, before: next).flatMap { Int32(exactly: $0) }, column, row)
    case .int64: return store(text.integer(start, before: next), column, row)
    case .uint8: return store(text.integer(start, before: next).flatMap { UInt8(exactly: $0) }, column, row)
    case .uint16: return store(text.integer(start, before: next).flatMap { UInt16(exactly: $0) }, column, row)
    case .uint32: return store(text.integer(start, before: next).flatMap { UInt32(exactly: $0) }, column, row)
    case .uint64: return store(text.unsignedInteger(start, before: next), column, row)
    case .float32: return store(text.float(start, before: next), column, row)
    case .float64: return store(text.double(start, before: next), column, row)
    default: return false
    }
  }

  @inline(__always) private mutating func store<Value: BitwiseCopyable>(_ value: Value?, _ column: Int, _ row: Int)
    -> Bool
  {
    guard let value else { return false }
    slots[column].store(value, row)
    return true
  }

  private mutating func boolean(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let first = text[tokens[at]]
    guard first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else { return mismatch(node, at, row) }
    slots[Int(nodes[node].slots)].store(UInt8(first == UInt8(ascii: "t") ? 1 : 0), row)
    return skip(at, isEscaped: isEscaped)
  }

  // MARK: Timestamps

  /// Reads an epoch timestamp: any number that fits.
  private mutating func timestampNumber(_ node: Int, _ at: Int, _ row: Int) -> Int {
    guard var number = text.number(tokens[at], before: tokens[at &+ 1]) else { return mismatch(node, at, row) }
    var scale = nodes[node].scale
    while scale > 1 {
      scale /= 10
      number.exponent += 1
    }
    guard let micros = number.roundedDown else { return mismatch(node, at, row) }
    slots[Int(nodes[node].slots)].store(micros, row)
    return at &+ 1
  }

  @inline(never) mutating func timestampText(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    guard text[start] == UInt8(ascii: "\"") else { return mismatch(node, at, row) }
    let close = closingQuote(start, before: tokens[at &+ 1])
    let micros =
      isEscaped && text.hasEscape(start, close)
      ? escapedTimestamp(start, close) : rfc3339Micros(text, start + 1..<close)
    guard let micros else { return mismatch(node, at, row) }
    slots[Int(nodes[node].slots)].store(micros, row)
    return at &+ 1
  }

  private mutating func escapedTimestamp(_ open: Int, _ close: Int) -> Int64? {
    var plain = [UInt8](repeating: 0, count: close - open + 64)
    let count = unsafe plain.withUnsafeMutableBufferPointer { unsafe unescape(open, close, into: $0.baseAddress) }
    guard count >= 0 else { return nil }
    return unsafe plain.withUnsafeBufferPointer { unsafe rfc3339Micros(TextView($0.baseAddress!), 0..<count) }
  }

  // MARK: Fixed-size lists

  /// Reads an array of exactly as many numbers as the type says; any other value is a mismatch as a whole.
  @inline(never) mutating func fixedSizeList(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let (column, length, isDouble) = (Int(nodes[node].slots), Int(nodes[node].length), nodes[node].isDouble)
    guard text[tokens[at]] == UInt8(ascii: "[") else { return mismatch(node, at, row) }
    var next = at &+ 1
    for index in 0..<length {
      let start = tokens[next]
      let separator = index == length &- 1 ? UInt8(ascii: "]") : UInt8(ascii: ",")
      if isDouble {
        guard let value = text.double(start, before: tokens[next &+ 1]) else { return mismatch(node, at, row) }
        slots[column].store(value, row, element: index)
      } else {
        guard let value = text.float(start, before: tokens[next &+ 1]) else { return mismatch(node, at, row) }
        slots[column].store(value, row, element: index)
      }
      guard text[tokens[next &+ 1]] == separator else { return mismatch(node, at, row) }
      next &+= 2
    }
    slots[column].mark(row)
    return next
  }
}
