import CSimdJSON

/// Walks the tokens of one line after another, checks them against JSON's grammar, and writes the declared fields' values
/// into their slots.
///
/// Methods that read a value take the place of its first token among the tokens and answer the place of the first token
/// after it. Once `fault` is set that is the place after the last token, where nothing but a newline stands, so that every
/// caller's own check fails too. Tokens are not held against the line's end on the way: that is checked at the end, and
/// where an unread value opens a bracket, which bounds how far a line without its closing brackets is followed.
struct LineWalker: ~Copyable {
  /// Deeper nesting is refused.
  static let maximumDepth = 1024

  var text: TextView
  var tokens: TokenView
  let tokenCount: Int
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

  init(
    _ plan: PathPlan, _ nodes: TableView<PathNode>, _ entries: TableView<KeyEntry>, _ keyBytes: TableView<UInt8>,
    _ slots: TableView<ColumnSlots>, _ text: TextView, _ tokens: TokenView, tokenCount: Int
  ) {
    (self.plan, self.nodes, self.entries, self.keyBytes, self.slots) = (plan, nodes, entries, keyBytes, slots)
    (self.text, self.tokens, self.tokenCount) = (text, tokens, tokenCount)
  }

  /// Ends the walk of this line; of several faults the first one counts.
  @inline(never) mutating func fail(_ fault: JSONLineFault, _ offset: Int) -> Int {
    if self.fault == nil {
      self.fault = offset >= lineEnd ? .endsEarly : fault
      faultOffset = min(offset, lineEnd)
    }
    return tokenCount
  }

  // MARK: Lines

  /// Reads the line whose first token is `at`: an object and nothing else. On a bad line `fault` is set.
  mutating func line(_ at: Int, _ row: Int) -> Int {
    guard text[tokens[at]] == UInt8(ascii: "{") else { return fail(.notAnObject, tokens[at]) }
    let end = object(0, at, row)
    if fault != nil { return end }
    guard tokens[end &- 1] < lineEnd else { return fail(.endsEarly, lineEnd) }
    return tokens[end] >= lineEnd ? end : fail(.textAfterObject, tokens[end])
  }

  /// Undoes what a bad line wrote.
  mutating func undo(_ row: Int) { clear(0, row) }

  // MARK: Objects

  /// Reads an object whose declared keys are the node's; `open` is its bracket.
  @inline(__always) mutating func object(_ node: Int, _ open: Int, _ row: Int) -> Int {
    isEscaped ? escapedObject(node, open, row) : plainObject(node, open, row)
  }

  @inline(never) mutating func plainObject(_ node: Int, _ open: Int, _ row: Int) -> Int {
    object(node, open, row, isEscaped: false)
  }

  @inline(never) mutating func escapedObject(_ node: Int, _ open: Int, _ row: Int) -> Int {
    object(node, open, row, isEscaped: true)
  }

  @inline(__always) mutating func object(_ node: Int, _ open: Int, _ row: Int, isEscaped: Bool) -> Int {
    let (text, tokens, slots) = (text, tokens, slots)
    let table = entries.advanced(by: Int(nodes[node].firstEntry))
    let multiplier = nodes[node].multiplier
    var at = open &+ 1
    if text[tokens[at]] == UInt8(ascii: "}") { return at &+ 1 }
    while true {
      let key = tokens[at]
      guard text[key] == UInt8(ascii: "\"") else { return fail(.expectedKey, key) }
      let colon = tokens[at &+ 1]
      guard text[colon] == UInt8(ascii: ":") else { return fail(.expectedColon, colon) }
      let distance = colon &- key
      if text[colon &- 1] != UInt8(ascii: "\"") || distance < 4 || (isEscaped && text.hasEscape(key, colon)) {
        at = oddMember(node, key, at &+ 2, row)
      } else {
        let head = text.word(key &+ 1)
        var entry = KeyTable.slot(KeyTable.word(head, distance: distance), multiplier)
        if find(&entry, table, head, key &+ 1) {
          at = member(table, entry, slots, at &+ 2, row, isEscaped: isEscaped)
        } else {
          at = skip(at &+ 2, isEscaped: isEscaped)
        }
      }
      let next = tokens[at]
      at &+= 1
      guard text[next] == UInt8(ascii: ",") else {
        return text[next] == UInt8(ascii: "}") ? at : fail(.expectedCommaOrEnd, next)
      }
    }
  }

  /// Whether the key that begins at `start`, with the bytes `head`, is declared. Follows `entry` to the one that holds it.
  @inline(__always) mutating func find(
    _ entry: inout Int, _ table: TableView<KeyEntry>, _ head: UInt64, _ start: Int
  ) -> Bool {
    while true {
      if (head ^ table[entry].head) & table[entry].mask == 0 {
        let length = Int(table[entry].byteCount)
        if length < 8 || tailMatches(table, entry, start, length) { return true }
      }
      guard table[entry].next >= 0 else { return false }
      entry = Int(table[entry].next)
    }
  }

  @inline(__always) mutating func tailMatches(
    _ table: TableView<KeyEntry>, _ entry: Int, _ start: Int, _ length: Int
  ) -> Bool {
    if text.word(start &+ length &- 7) != table[entry].tail { return false }
    if length < 16 { return true }
    return unsafe text.matches(keyBytes.base + Int(table[entry].start), length, at: start)
  }

  /// Reads the value of a declared key.
  @inline(__always) mutating func member(
    _ table: TableView<KeyEntry>, _ entry: Int, _ slots: TableView<ColumnSlots>, _ at: Int, _ row: Int, isEscaped: Bool
  ) -> Int {
    let start = tokens[at]
    let column = Int(table[entry].slots)
    switch table[entry].kind {
    case .string:
      guard text[start] == UInt8(ascii: "\"") else { break }
      return string(column, start, at, row, isEscaped: isEscaped)
    case .int64:
      guard let value = text.integer(start, before: tokens[at &+ 1]) else { break }
      let (scaled, overflow) = value.multipliedReportingOverflow(by: table[entry].scale)
      guard !overflow else { break }
      slots[column].store(scaled, row)
      return at &+ 1
    case .int32:
      guard let value = text.integer(start, before: tokens[at &+ 1]), let narrow = Int32(exactly: value) else { break }
      slots[column].store(narrow, row)
      return at &+ 1
    case .object:
      guard text[start] == UInt8(ascii: "{") else { break }
      return nested(Int(table[entry].node), at, row)
    default: break
    }
    return value(Int(table[entry].node), at, row)
  }

  /// Reads an object below another; one that repeats an earlier one in this row replaces it.
  @inline(never) mutating func nested(_ node: Int, _ at: Int, _ row: Int) -> Int {
    if nodes[node].lastRow == row { clear(node, row) }
    nodes[node].lastRow = row
    return object(node, at, row)
  }

  /// The offset of the quote that ends the string at `open`; `next` is the next token's offset.
  @inline(__always) mutating func closingQuote(_ open: Int, before next: Int) -> Int {
    var end = next &- 1
    while text[end] != UInt8(ascii: "\"") { end &-= 1 }
    return end
  }

  // MARK: Values

  /// Reads the value of a declared node.
  @inline(never) mutating func value(_ node: Int, _ at: Int, _ row: Int) -> Int {
    let end = typedValue(node, at, row)
    let raw = Int(nodes[node].rawSlots)
    if raw >= 0, fault == nil { keepText(raw, at, end, row) }
    return end
  }

  /// Makes the node null in this row: for a null, and for a value of the wrong type, which is counted.
  @inline(never) mutating func mismatch(_ node: Int, _ at: Int, _ row: Int) -> Int {
    clear(node, row)
    let end = skip(at, isEscaped: isEscaped)
    if text[tokens[at]] == UInt8(ascii: "n") {
      nulls += plan.typedFields[node]
    } else {
      mismatches += plan.typedFields[node]
    }
    return end
  }

  /// Undoes what this row wrote at or below a node.
  @inline(never) mutating func clear(_ node: Int, _ row: Int) {
    let rawSlots = Int(nodes[node].rawSlots)
    if rawSlots >= 0 { slots[rawSlots].clear(row) }
    let own = Int(nodes[node].slots)
    if nodes[node].kind == .array { clearElements(node, row) }
    if own >= 0 { slots[own].clear(row) }
    for child in plan.children[node] { clear(child, row) }
  }

  private mutating func clearElements(_ node: Int, _ row: Int) {
    let list = Int(nodes[node].slots)
    let element = Int(nodes[node].element)
    var last = slots[list].end
    while last > slots[list].start(row) {
      last -= 1
      clear(element, last)
    }
  }

  // MARK: Strings

  @inline(__always) mutating func string(_ column: Int, _ open: Int, _ at: Int, _ row: Int, isEscaped: Bool) -> Int {
    let close = closingQuote(open, before: tokens[at &+ 1])
    if slots[column].isPresent(row) { slots[column].clear(row) }
    if isEscaped, text.hasEscape(open, close) {
      return escapedString(column, open, close, row) ? at &+ 1 : tokenCount
    }
    copy(open &+ 1, close &- open &- 1, to: column, row)
    return at &+ 1
  }

  /// Appends text to a column's data, for `row`. Copies whole 16-byte words: both sides have room past their ends.
  @inline(__always) mutating func copy(_ start: Int, _ byteCount: Int, to column: Int, _ row: Int) {
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
        if text[tokens[at]] != UInt8(ascii: ",") { break }
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
    if fault == nil { close(group, row) }
    return end
  }

  /// Ends a row of a group: what it did not write is null.
  @inline(__always) mutating func close(_ group: Int, _ row: Int) {
    for column in plan.groups[group].slotsWithEnds { slots[column].close(row) }
  }
}
