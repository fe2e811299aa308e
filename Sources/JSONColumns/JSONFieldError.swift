/// Why a set of declared fields cannot be read together.
package struct JSONFieldError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case emptyKey
    case unfinishedEscape
    case misplacedBracket
    case repeatedPath
    /// Another field reads the same place as an object, array or value of another shape.
    case conflict(with: String)
    /// `[]` in the path of a required field.
    case requiredInsideList
    case unsupportedType(JSONFieldType)
    case tooDeep
  }

  package var path: String
  package var reason: Reason

  package var description: String {
    let text =
      switch reason {
      case .emptyKey: "a key is empty; write keys joined by single dots"
      case .unfinishedEscape: "it ends in '\\'; write '\\\\' for a backslash in a key"
      case .misplacedBracket: "'[' may only stand after a key, as '[]'; write '\\[' for a bracket in a key"
      case .repeatedPath: "it is declared twice; remove one"
      case .conflict(let other):
        "it cannot be read beside '\(other)', which needs another kind of value at the same place"
      case .requiredInsideList: "a field inside a list cannot be required; require the list"
      case .unsupportedType(let type):
        "type \(type) cannot be read from JSON; a fixed-size list holds float32 or float64"
      case .tooDeep: "it has more than \(JSONPath.maximumDepth) steps"
      }
    return "field '\(path)': \(text)"
  }
}
