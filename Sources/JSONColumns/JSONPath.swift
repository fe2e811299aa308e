/// A field's path in steps.
struct JSONPath {
  enum Step: Hashable {
    case key([UInt8])
    case elements
  }

  /// Bounds the walker's recursion.
  static let maximumDepth = 64

  private(set) var steps: [Step] = []
  /// Whether a key must follow.
  private var afterDot = false

  init(_ path: String) throws(JSONFieldError) {
    var key: [UInt8] = []
    var bytes = path.utf8.makeIterator()
    func failure(_ reason: JSONFieldError.Reason) -> JSONFieldError { JSONFieldError(path: path, reason: reason) }
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "."):
        guard close(&key) else { throw failure(.emptyKey) }
        afterDot = true
      case UInt8(ascii: "["):
        guard bytes.next() == UInt8(ascii: "]"), close(&key), !steps.isEmpty else { throw failure(.misplacedBracket) }
        steps.append(.elements)
      default:
        guard steps.last != .elements || afterDot else { throw failure(.misplacedBracket) }
        guard let literal = byte == UInt8(ascii: "\\") ? bytes.next() : byte else { throw failure(.unfinishedEscape) }
        key.append(literal)
      }
    }
    guard close(&key), !afterDot, !steps.isEmpty else { throw failure(.emptyKey) }
    guard steps.count <= Self.maximumDepth else { throw failure(.tooDeep) }
  }

  /// Ends the key at hand; answers whether a step precedes the place.
  private mutating func close(_ key: inout [UInt8]) -> Bool {
    if key.isEmpty { return steps.last == .elements && !afterDot }
    steps.append(.key(key))
    key = []
    afterDot = false
    return true
  }
}
