/// Why a line is not one JSON object, or not one with the required fields.
package enum JSONLineFault: Sendable, Hashable {
  case notUTF8
  case unclosedString
  case controlCharacter
  case notAnObject
  case endsEarly
  case textAfterObject
  case expectedKey
  case expectedColon
  case expectedCommaOrEnd
  case invalidValue
  case invalidNumber
  case invalidEscape
  case tooDeep
  case tooLong
  case outOfMemory
  /// The required field, by its place among the fields.
  case missing(field: Int)
  case null(field: Int)
  case wrongType(field: Int)
}

/// A line that yields no row.
package struct JSONRejection: Sendable, Equatable {
  /// Where the line begins in its source.
  package var byteOffset: Int
  /// How many bytes the line has, without its newline.
  package var byteCount: Int
  /// The line's number in its source, the first being 1.
  package var line: Int
  package var fault: JSONLineFault
  /// Where in the line the fault shows, from its first byte; 0 where only the line as a whole is known to be bad.
  package var offsetInLine: Int
  /// A sentence, for the dead letters.
  package var reason: String
}

extension JSONLineFault {
  func reason(_ specs: [JSONFieldSpec]) -> String {
    switch self {
    case .notUTF8: "not UTF-8"
    case .unclosedString: "a string does not end"
    case .controlCharacter: "a control character in a string"
    case .notAnObject: "not a JSON object"
    case .endsEarly: "the object does not end"
    case .textAfterObject: "text after the object"
    case .expectedKey: "a key is missing"
    case .expectedColon: "':' is missing after a key"
    case .expectedCommaOrEnd: "',' or a closing bracket is missing"
    case .invalidValue: "not a JSON value"
    case .invalidNumber: "not a JSON number"
    case .invalidEscape: "an invalid escape in a string"
    case .tooDeep: "nested deeper than \(LineWalker.maximumDepth)"
    case .tooLong: "the line is too long"
    case .outOfMemory: "no memory to index the line"
    case .missing(let field): "field '\(specs[field].path)' is missing"
    case .null(let field): "field '\(specs[field].path)' is null"
    case .wrongType(let field): "field '\(specs[field].path)' is not \(specs[field].type.expectation)"
    }
  }
}
