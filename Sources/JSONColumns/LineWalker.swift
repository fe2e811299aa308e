import CSimdJSON

/// Walks the tokens of one line after another, checks them against JSON's grammar, and writes the declared fields' values
/// into their slots.
///
/// Methods that read a value take the place of its first token among the tokens and answer the place of the first token
/// after it, or a negative number once `fault` is set. Nothing is bounded by the line's end on the way: tokens of the next
/// line can only be reached across a missing bracket, which is checked at each comma and at the end.
struct LineWalker: ~Copyable {
  /// Deeper nesting is refused.
  static let maximumDepth = 1024

  var text: TextView
  var tokens: TokenView
  /// Whether the line holds a backslash.
  var isEscaped = false
  /// The offset of the newline that ends the line.
  var lineEnd = 0
  let nodes: TableView<PathNode>
  let entries: TableView<KeyEntry>
  let keyBytes: TableView<UInt8>
  let slots: TableView<ColumnSlots>
  let plan: PathPlan
  var fault: JSONLineFault?
  var faultOffset = 0
  /// The fields whose value in this line had the wrong type.
  var mismatches: [Int] = []
  /// The fields that this line says are null.
  var nulls: [Int] = []
  let powersOfTen: InlineArray<9, Int64> = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
  ]

  init(
    _ plan: PathPlan, _ nodes: TableView<PathNode>, _ entries: TableView<KeyEntry>, _ keyBytes: TableView<UInt8>,
    _ slots: TableView<ColumnSlots>, _ text: TextView, _ tokens: TokenView
  ) {
    (self.plan, self.nodes, self.entries, self.keyBytes, self.slots) = (plan, nodes, entries, keyBytes, slots)
    (self.text, self.tokens) = (text, tokens)
  }

  /// Ends the walk of this line.
  @inline(never) mutating func fail(_ fault: JSONLineFault, _ offset: Int) -> Int {
    self.fault = offset >= lineEnd ? .endsEarly : fault
    faultOffset = min(offset, lineEnd)
    return -1
  }

  // MARK: Lines

  /// Reads the line whose first token is `at`: an object and nothing else.
  mutating func line(_ at: Int, _ row: Int) -> Int {
    guard text[tokens[at]] == UInt8(ascii: "{") else { return fail(.notAnObject, tokens[at]) }
    let end = object(0, at, row)
    guard end >= 0 else { return -1 }
    guard tokens[end &- 1] < lineEnd else { return fail(.endsEarly, lineEnd) }
    return tokens[end] >= lineEnd ? end : fail(.textAfterObject, tokens[end])
  }

  /// Undoes what a bad line wrote.
  func undo(_ row: Int) { clear(0, row) }

  // MARK: Objects

  /// Reads an object whose declared keys are the node's; `open` is its bracket.
  mutating func object(_ node: Int, _ open: Int, _ row: Int) -> Int {
    var at = open &+ 1
    if text[tokens[at]] == UInt8(ascii: "}") { return at &+ 1 }
    while true {
      let key = tokens[at]
      guard text[key] == UInt8(ascii: "\"") else { return fail(.expectedKey, key) }
      let colon = tokens[at &+ 1]
      guard text[colon] == UInt8(ascii: ":") else { return fail(.expectedColon, colon) }
      let child = find(node, key, colon)
      at &+= 2
      at = child < 0 ? (child < -1 ? -1 : skip(at)) : value(child, at, row)
      if at < 0 { return -1 }
      let next = tokens[at]
      at &+= 1
      guard text[next] == UInt8(ascii: ",") else {
        return text[next] == UInt8(ascii: "}") ? at : fail(.expectedCommaOrEnd, next)
      }
      guard next < lineEnd else { return fail(.endsEarly, next) }
    }
  }

  /// The node of the key whose opening quote is at `key`; -1 when it is not declared, -2 when its text is invalid.
  @inline(__always) mutating func find(_ node: Int, _ key: Int, _ colon: Int) -> Int {
    if isEscaped, text.contains(UInt8(ascii: "\\"), in: key..<colon) { return findEscaped(node, key, colon) }
    let word = text.word(key &+ 1)
    let quotes = word ^ 0x2222_2222_2222_2222
    let found = (quotes &- 0x0101_0101_0101_0101) & ~quotes & 0x8080_8080_8080_8080
    let head = word & ((found ^ (found &- 1)) &>> 8)
    let hash = (head &* nodes[node].multiplier) &>> nodes[node].shift
    var entry = Int(nodes[node].firstEntry) &+ Int(truncatingIfNeeded: hash)
    guard entries[entry].head == head else { return -1 }
    while true {
      let length = Int(entries[entry].byteCount)
      if text[key &+ 1 &+ length] == UInt8(ascii: "\""), restMatches(node, entry, key &+ 1, length) {
        return Int(entries[entry].node)
      }
      let next = Int(entries[entry].next)
      guard next >= 0 else { return -1 }
      entry = Int(nodes[node].firstEntry) &+ next
    }
  }

  /// Whether the key that begins at `start` equals the entry's past its head.
  @inline(__always) func restMatches(_ node: Int, _ entry: Int, _ start: Int, _ length: Int) -> Bool {
    if length < 8 { return true }
    if text.word(start &+ length &- 8) != entries[entry].tail { return false }
    if length <= 15 { return true }
    let bytes = Int(nodes[node].firstByte) &+ Int(entries[entry].start)
    return unsafe text.matches(keyBytes.base + bytes, length, at: start)
  }

  /// The offset of the quote that ends the string at `open`; `next` is the next token's offset.
  @inline(__always) func closingQuote(_ open: Int, before next: Int) -> Int {
    var end = next &- 1
    while text[end] != UInt8(ascii: "\"") { end &-= 1 }
    return end
  }

  // MARK: Values

  /// Reads the value of a declared node.
  mutating func value(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let end = declaredValue(node, at, row)
    let raw = Int(nodes[node].rawSlots)
    if raw >= 0, end >= 0 { keepText(raw, at, end, row) }
    return end
  }

  @inline(__always) mutating func declaredValue(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let start = tokens[at]
    let first = text[start]
    switch nodes[node].kind {
    case .string:
      guard first == UInt8(ascii: "\"") else { break }
      return string(node, at, row)
    case .int64:
      guard let value = integer(start, at) else { break }
      slots[Int(nodes[node].slots)].store(value, row)
      return at &+ 1
    case .timestamp:
      guard let value = integer(start, at) else { return otherTimestamp(node, at, row) }
      let (micros, overflow) = value.multipliedReportingOverflow(by: nodes[node].scale)
      guard !overflow else { break }
      slots[Int(nodes[node].slots)].store(micros, row)
      return at &+ 1
    case .object:
      guard first == UInt8(ascii: "{") else { break }
      if nodes[node].lastRow == row { clear(node, row) }
      nodes[node].lastRow = row
      return object(node, at, row)
    case .array:
      guard first == UInt8(ascii: "[") else { break }
      return array(node, at, row)
    case .raw:
      return skip(at)
    default:
      return otherValue(node, at, row)
    }
    return mismatch(node, at, row)
  }

  /// Makes the node null in this row: for a null, and for a value of the wrong type, which is counted.
  @inline(never) mutating func mismatch(_ node: Int, _ at: Int, _ row: Int) -> Int {
    clear(node, row)
    let end = skip(at)
    if text[tokens[at]] == UInt8(ascii: "n") {
      nulls += plan.typedFields[node]
    } else {
      mismatches += plan.typedFields[node]
    }
    return end
  }

  /// Undoes what this row wrote at or below a node.
  func clear(_ node: Int, _ row: Int) {
    let rawSlots = Int(nodes[node].rawSlots)
    if rawSlots >= 0 { slots[rawSlots].clear(row) }
    let own = Int(nodes[node].slots)
    if nodes[node].kind == .array { clearElements(node, row) }
    if own >= 0 { slots[own].clear(row) }
    for child in plan.children[node] { clear(child, row) }
  }

  private func clearElements(_ node: Int, _ row: Int) {
    let list = Int(nodes[node].slots)
    let element = Int(nodes[node].element)
    var last = slots[list].end
    while last > slots[list].start(row) {
      last -= 1
      clear(element, last)
    }
  }

  // MARK: Strings

  @inline(__always) mutating func string(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let column = Int(nodes[node].slots)
    let open = tokens[at]
    let close = closingQuote(open, before: tokens[at &+ 1])
    if slots[column].isPresent(row) { slots[column].clear(row) }
    if isEscaped, text.contains(UInt8(ascii: "\\"), in: open &+ 1..<close) {
      return escapedString(column, open, close, row) ? at &+ 1 : -1
    }
    copy(open &+ 1, close &- open &- 1, to: column, row)
    return at &+ 1
  }

  /// Appends text to a column's data, for `row`. Copies whole 16-byte words: both sides have room past their ends.
  @inline(__always) func copy(_ start: Int, _ byteCount: Int, to column: Int, _ row: Int) {
    let source = unsafe UnsafeRawPointer(text.pointer(start))
    let target = unsafe UnsafeMutableRawPointer(slots[column].room())
    unsafe target.storeBytes(of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    unsafe (target + 16).storeBytes(of: (source + 16).loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    if byteCount > 32 { unsafe (target + 32).copyMemory(from: source + 32, byteCount: byteCount &- 32) }
    slots[column].end &+= byteCount
    slots[column].mark(row)
  }

  /// Keeps the text of the value whose tokens are `at..<end`.
  @inline(never) mutating func keepText(_ column: Int, _ at: Int, _ end: Int, _ row: Int) {
    slots[column].clear(row)
    let start = tokens[at]
    guard text[start] != UInt8(ascii: "n") else {
      nulls += plan.rawFields[column]
      return
    }
    var last = tokens[end] &- 1
    if end &- at > 1 {
      last = tokens[end &- 1]
    } else {
      while isBlank(text[last]) { last &-= 1 }
    }
    copy(start, last &+ 1 &- start, to: column, row)
  }

  // MARK: Arrays

  /// Reads an array's elements as rows of their own.
  mutating func array(_ node: Int, _ open: Int, _ row: Int) -> Int {
    let list = Int(nodes[node].slots)
    if slots[list].isPresent(row) { clear(node, row) }
    var at = open &+ 1
    if text[tokens[at]] != UInt8(ascii: "]") {
      repeat {
        at = element(node, at)
        if at < 0 { return -1 }
        let next = tokens[at]
        if text[next] != UInt8(ascii: ",") { break }
        guard next < lineEnd else { return fail(.endsEarly, next) }
        at &+= 1
      } while true
    }
    guard text[tokens[at]] == UInt8(ascii: "]") else { return fail(.expectedCommaOrEnd, tokens[at]) }
    slots[list].mark(row)
    return at &+ 1
  }

  private mutating func element(_ node: Int, _ at: Int) -> Int {
    let list = Int(nodes[node].slots)
    let row = slots[list].end
    let group = Int(nodes[node].rows)
    for column in plan.groups[group].slots { slots[column].reserve(rows: row &+ 1) }
    // Counted before it is read, so that what it wrote is undone when it turns out bad.
    slots[list].end = row &+ 1
    let end = value(Int(nodes[node].element), at, row)
    if end >= 0 { close(group, row) }
    return end
  }

  /// Ends a row of a group: what it did not write is null.
  @inline(__always) func close(_ group: Int, _ row: Int) {
    for column in plan.groups[group].slotsWithEnds { slots[column].close(row) }
  }
}
