extension LineWalker {
  /// Reads a value of one of the rarer types.
  @inline(never) mutating func otherValue(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    let column = Int(nodes[node].slots)
    let isDone: Bool
    switch nodes[node].kind {
    case .int8: isDone = store(integer(start, at).flatMap { Int8(exactly: $0) }, column, row)
    case .int16: isDone = store(integer(start, at).flatMap { Int16(exactly: $0) }, column, row)
    case .int32: isDone = store(integer(start, at).flatMap { Int32(exactly: $0) }, column, row)
    case .uint8: isDone = store(integer(start, at).flatMap { UInt8(exactly: $0) }, column, row)
    case .uint16: isDone = store(integer(start, at).flatMap { UInt16(exactly: $0) }, column, row)
    case .uint32: isDone = store(integer(start, at).flatMap { UInt32(exactly: $0) }, column, row)
    case .uint64: isDone = store(unsignedInteger(start, at), column, row)
    case .float32: isDone = store(float(start, at), column, row)
    case .float64: isDone = store(double(start, at), column, row)
    case .bool: isDone = store(boolean(start), column, row)
    case .rfc3339: return timestampText(node, at, row)
    case .fixedSizeList: return fixedSizeList(node, at, row)
    case .object, .array, .string, .int64, .timestamp, .raw: isDone = false
    }
    guard isDone else { return mismatch(node, at, row) }
    // A literal's end is not checked yet.
    return nodes[node].kind == .bool ? skip(at) : at &+ 1
  }

  @inline(__always) private func store<Value: BitwiseCopyable>(_ value: Value?, _ column: Int, _ row: Int) -> Bool {
    guard let value else { return false }
    slots[column].store(value, row)
    return true
  }

  private func boolean(_ start: Int) -> UInt8? {
    switch text[start] {
    case UInt8(ascii: "t"): 1
    case UInt8(ascii: "f"): 0
    default: nil
    }
  }

  private func unsignedInteger(_ start: Int, _ at: Int) -> UInt64? {
    guard let number = number(start, at), let magnitude = wholeMagnitude(number) else { return nil }
    return number.isNegative && magnitude > 0 ? nil : magnitude
  }

  // MARK: Timestamps

  /// An epoch timestamp that is no plain integer: with a fraction or an exponent.
  @inline(never) mutating func otherTimestamp(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    guard var number = number(start, at) else { return mismatch(node, at, row) }
    var scale = nodes[node].scale
    while scale > 1 {
      scale /= 10
      number.exponent += 1
    }
    guard let micros = roundedDown(number) else { return mismatch(node, at, row) }
    slots[Int(nodes[node].slots)].store(micros, row)
    return at &+ 1
  }

  /// The greatest integer not above the number.
  private func roundedDown(_ number: NumberText) -> Int64? {
    var (magnitude, exponent, isCut) = (number.mantissa, number.exponent, number.isCut)
    while exponent < 0, magnitude > 0 {
      if magnitude % 10 != 0 { isCut = true }
      magnitude /= 10
      exponent += 1
    }
    while exponent > 0, magnitude > 0 {
      guard magnitude < 1 << 59 else { return nil }
      magnitude *= 10
      exponent -= 1
    }
    guard let value = Int64(exactly: magnitude) else { return nil }
    return number.isNegative ? -value - (isCut ? 1 : 0) : value
  }

  @inline(never) mutating func timestampText(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    guard text[start] == UInt8(ascii: "\"") else { return mismatch(node, at, row) }
    let close = closingQuote(start, before: tokens[at &+ 1])
    guard let micros = rfc3339Micros(text, start + 1..<close) else { return mismatch(node, at, row) }
    slots[Int(nodes[node].slots)].store(micros, row)
    return at &+ 1
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
        guard let value = double(start, next) else { return mismatch(node, at, row) }
        slots[column].store(value, row, element: index)
      } else {
        guard let value = float(start, next) else { return mismatch(node, at, row) }
        slots[column].store(value, row, element: index)
      }
      guard text[tokens[next &+ 1]] == separator else { return mismatch(node, at, row) }
      next &+= 2
    }
    slots[column].mark(row)
    return next
  }
}
