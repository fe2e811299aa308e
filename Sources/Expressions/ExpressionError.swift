/// One thing that is wrong with an expression's text, and where.
package struct ExpressionError: Error, Sendable, Hashable {
  package enum Reason: Sendable, Hashable {
    case unexpectedCharacter(String)
    case unterminatedText
    case invalidEscape(String)
    case invalidNumber(String)
    case unexpected(found: String, expected: String)
    case tooDeep(limit: Int)
    case reservedWord(String)
    case invalidMacro(String)
    case unknownName(String, nearest: String?)
    case unknownFunction(String, nearest: String?)
    case unknownField(String, type: String, nearest: String?)
    case noOverload(function: String, arguments: [String], remedy: String?)
    case notSelectable(type: String)
    case unsupported(String, remedy: String)
    case resultHasNoColumnType(String)
    case alwaysFails(EvaluationError)
  }

  package var reason: Reason
  /// Where in the text's UTF-8 bytes.
  package var byteRange: Range<Int>
  /// From 1.
  package var line: Int
  /// From 1, in characters.
  package var column: Int

  init(_ reason: Reason, at byteRange: Range<Int>, in source: [UInt8]) {
    self.reason = reason
    self.byteRange = byteRange
    let before = source[..<min(byteRange.lowerBound, source.count)]
    line = 1 + before.count { $0 == UInt8(ascii: "\n") }
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    column = 1 + String(decoding: before[lineStart...], as: UTF8.self).count
  }
}

extension ExpressionError: CustomStringConvertible {
  package var description: String { "\(line):\(column): \(reason)" }
}

extension ExpressionError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unexpectedCharacter(let text): "character '\(text)' has no meaning here; remove it"
    case .unterminatedText: "the quoted text does not end; close its quotes"
    case .invalidEscape(let text): "escape '\(text)' is not valid here; write \\\\ for a backslash"
    case .invalidNumber(let text): "number '\(text)' does not fit its type; write a smaller one"
    case .unexpected(let found, let expected): "found \(found) where \(expected) belongs; complete the expression"
    case .tooDeep(let limit): "nested deeper than \(limit) levels; split the expression"
    case .reservedWord(let word): "'\(word)' is reserved; choose another name"
    case .invalidMacro(let message): message
    case .unknownName(let name, let nearest): "unknown column '\(name)'; \(Self.remedy(nearest, "declare it"))"
    case .unknownFunction(let name, let nearest):
      "unknown function '\(name)'; \(Self.remedy(nearest, "use those of CEL's standard library"))"
    case .unknownField(let name, let type, let nearest):
      "\(type) has no field '\(name)'; \(Self.remedy(nearest, "declare it"))"
    case .noOverload(let function, let arguments, let remedy):
      "\(function) does not take (\(arguments.joined(separator: ", "))); \(remedy ?? "convert the arguments")"
    case .notSelectable(let type): "\(type) has no fields; remove the selection"
    case .unsupported(let what, let remedy): "\(what) is not supported; \(remedy)"
    case .resultHasNoColumnType(let type): "the result, \(type), fits no column; convert it, with string(…) say"
    case .alwaysFails(let error): "this always fails: \(error)"
    }
  }

  private static func remedy(_ nearest: String?, _ otherwise: String) -> String {
    nearest.map { "did you mean '\($0)'?" } ?? otherwise
  }
}

/// Everything that is wrong with one expression, in the order of the text.
package struct ExpressionErrors: Error, Sendable, CustomStringConvertible {
  package var errors: [ExpressionError]

  init(_ errors: [ExpressionError]) {
    self.errors = errors.sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
  }

  /// One line per error.
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Why an expression has no value for a row.
package enum EvaluationError: Error, Sendable, Hashable {
  case noSuchOverload(function: String, arguments: [String])
  case noSuchKey(String)
  case noSuchField(String)
  case indexOutOfRange(index: String, count: Int)
  case divisionByZero
  case overflow(function: String)
  case invalidConversion(value: String, to: String)
  case invalidPattern(String)
  case unknownTimeZone(String)
  case unsupportedKey(type: String)
  case repeatedKey(String)
  case undeclared(String)
}

extension EvaluationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noSuchOverload(let function, let arguments):
      "no overload of \(function) for (\(arguments.joined(separator: ", ")))"
    case .noSuchKey(let key): "no such key: \(key)"
    case .noSuchField(let name): "no such field: \(name)"
    case .indexOutOfRange(let index, let count): "index \(index) is outside a list of \(count)"
    case .divisionByZero: "division by zero"
    case .overflow(let function): "\(function) leaves the range of its type"
    case .invalidConversion(let value, let type): "\(value) cannot become \(type)"
    case .invalidPattern(let message): "invalid pattern: \(message)"
    case .unknownTimeZone(let name): "unknown time zone '\(name)'"
    case .unsupportedKey(let type): "\(type) cannot be the key of a map"
    case .repeatedKey(let key): "the map repeats the key \(key)"
    case .undeclared(let name): "undeclared reference to '\(name)'"
    }
  }
}
