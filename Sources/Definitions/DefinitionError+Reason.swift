import Arrow
import Expressions
import JSONText

extension DefinitionError {
  /// A fault with the values that make it up.
  package enum Reason: Sendable, Hashable {
    // The shape of the text.
    case notJSON(JSONError)
    case python(String)
    case unsupportedFormat(Int64)
    case missingMember(String)
    case unknownMember(String, known: [String])
    case wrongKind(found: String, expected: String)
    case malformed(what: String, text: String, expected: String)
    case outOfRange(Int64, ClosedRange<Int64>)
    case digestDiffers(found: String, expected: String)
    case systemColumnsMissing([String])
    case typeDiffers(recorded: DataType, deduced: DataType)
    case stale(String)
    // Names.
    case badName(String)
    case badColumn(String)
    case wordAsColumn(String)
    case badPath(String)
    case pathConflict(String, String)
    case systemColumn(String)
    case duplicate(String, first: String?)
    case unknown(String, String, known: [String])
    case addedAtRequest(String)
    case undeclaredField(String, known: [String])
    case empty(String)
    case cycle([String])
    // Types.
    case expression(ExpressionError.Reason)
    case notBoolean(DataType)
    case unstorable(DataType)
    case roleType(String, String, expected: String)
    case roleInArray(String)
    case typeConflict(String, DataType, other: String, DataType)
    case keyKind(column: Field, LookupDefinition)
    case notQuantizable(DataType)
    case notAggregatable(String, Field)
    case countOfColumn(String)
    case nestedInCSV(DataType)
    case unknownTableFormat(String)
    case noArray(String)
    case keyWithoutExplode
    // Times and numbers that cannot be.
    case zeroDuration
    case retentionBelowLateness(Int64, Int64, source: String)
    case windowBeyondRetention(Int64, Int64, eventType: String)
    case capOutside(String, known: [String])
  }
}

extension DefinitionError.Reason: CustomStringConvertible {
  /// What is wrong; what to do.
  package var description: String {
    switch self {
    case .notJSON(let error): "not JSON at \(error); write it with seq-config compile"
    case .python(let message): "\(message); correct the Python"
    case .unsupportedFormat(let format):
      """
      format \(format) is unknown, this program reads \(DefinitionSet.format); \
      compile the definitions with its seq-config
      """
    case .missingMember(let name): "member '\(name)' is missing; write it with seq-config compile"
    case .unknownMember(let name, let known): "unknown member '\(name)'; remove it, known are \(list(known))"
    case .wrongKind(let found, let expected): "this is \(found); give \(expected)"
    case .malformed(let what, let text, let expected): "'\(text)' is no \(what); give \(expected)"
    case .outOfRange(let value, let range):
      "\(value) is out of range; give \(range.lowerBound) \(range.upperBound == .max ? "or more" : "to \(range.upperBound)")"
    case .digestDiffers(let found, let expected):
      "the digest of the content is \(expected), not '\(found)'; change the Python and compile it again"
    case .systemColumnsMissing(let columns): "a dataset begins with other columns; begin it with \(list(columns))"
    case .typeDiffers(let recorded, let deduced):
      "the type is \(deduced), not \(recorded); compile the definitions again"
    case .stale(let what): "\(what) is not what the other definitions make it; compile the definitions again"
    default: naming ?? typing ?? timing
    }
  }

  private var naming: String? {
    switch self {
    case .badName(let name): "'\(name)' cannot be a name; begin with a letter and use letters, digits, '_' and '-'"
    case .badColumn(let name):
      "'\(name)' cannot name a column; begin with a letter or '_' and use letters, digits and '_'"
    case .wordAsColumn(let name): "'\(name)' is a word of the expressions' language; choose another name"
    case .badPath(let path):
      "'\(path)' is no path; join keys of letters, digits and '_' by dots, with '[]' after at most one"
    case .pathConflict(let path, let other):
      "'\(path)' needs another kind of value than '\(other)' at the same place; declare one of them"
    case .systemColumn(let name): "'\(name)' is a system column that every event has; choose another name"
    case .duplicate(let what, let first):
      "\(what) is declared twice\(first.map { ", first at \($0)" } ?? ""); rename or remove one"
    case .unknown(let kind, let name, let known): "unknown \(kind) '\(name)'; \(Self.choose(known, or: "declare it"))"
    case .addedAtRequest(let name):
      "column '\(name)' is added when events are read; add it with at='index' to use it here"
    case .undeclaredField(let path, let known):
      "'\(path)' is not among the fields; \(Self.choose(known, or: "declare it"))"
    case .empty(let what): "\(withArticle(what)) is missing; give one"
    case .cycle(let names): "\(names.joined(separator: " needs ")); compute one of them from other columns"
    default: nil
    }
  }

  private var typing: String? {
    switch self {
    case .expression(let reason): reason.description
    case .notBoolean(let type): "the expression is \(type), not bool; compare it with something"
    case .unstorable(let type): "a column cannot be \(type); convert it, with string(…) or int(…)"
    case .roleType(let path, let type, let expected): "'\(path)' is \(type); give \(expected)"
    case .roleInArray(let path): "'\(path)' has many values in an event; give a path without '[]'"
    case .typeConflict(let column, let type, let other, let theirs):
      """
      column '\(column)' is \(type) here and \(theirs) in event type '\(other)'; \
      convert one, or give it another name or dataset
      """
    case .keyKind(let column, let lookup):
      """
      column '\(column.name)' is \(column.type), the keys of lookup '\(lookup.name)' are \(lookup.keyKind.rawValue); \
      \(Self.keyRemedy(column, lookup))
      """
    case .notQuantizable(let type): "\(type) cannot be quantised; quantise float32[n] or float64[n]"
    case .notAggregatable(let aggregate, let column):
      "\(column.type) column '\(column.name)' has no \(aggregate); choose a number, or count"
    case .countOfColumn(let name): "count takes no column; count events where '\(name) != null'"
    case .nestedInCSV(let type): "CSV cannot hold \(type); keep the table as Parquet or NDJSON"
    case .unknownTableFormat(let table):
      """
      table '\(table)' has no known format; name a file that ends in \
      \(TableFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", "))
      """
    case .noArray(let path): "no field lies in an array '\(path)'; declare one in the source, such as '\(path)[].id'"
    case .keyWithoutExplode: "there are no elements to tell apart; give explode too"
    default: nil
    }
  }

  private var timing: String {
    switch self {
    case .zeroDuration: "a time of 0 keeps nothing; give \(DurationText.examples)"
    case .retentionBelowLateness(let retention, let lateness, let source):
      """
      \(Self.text(retention)) is over before the last events of source '\(source)' arrive, \
      up to \(Self.text(lateness)) late; give \(Self.text(lateness)) or more
      """
    case .windowBeyondRetention(let window, let retention, let eventType):
      """
      \(Self.text(window)) reaches back further than any event is kept, at most \(Self.text(retention)) \
      ('\(eventType)'); shorten it or lengthen the retention
      """
    case .capOutside(let name, let known):
      "event type '\(name)' is not in the sequence; \(Self.choose(known, or: "add it"))"
    default: "invalid"
    }
  }

  private static func text(_ micros: Int64) -> String { DurationText.format(micros) }

  private static func keyRemedy(_ column: Field, _ lookup: LookupDefinition) -> String {
    guard column.type == .utf8 || column.type.isInteger else { return "choose a column of integers or strings" }
    let kind: LookupDefinition.KeyKind = column.type == .utf8 ? .string : .integer
    return "declare key='\(lookup.key): \(kind.rawValue)' or convert the column"
  }

  private static func choose(_ known: [String], or otherwise: String) -> String {
    known.isEmpty ? otherwise : "\(otherwise), or use \(known.count == 1 ? "" : "one of ")\(list(known))"
  }
}

/// `an owner`, `a path`.
func withArticle(_ noun: String) -> String { ("aeio".contains(noun.first ?? "x") ? "an " : "a ") + noun }

/// Names in quotes, for a message: the first dozen.
func list(_ names: [String]) -> String {
  names.prefix(12).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 12 ? ", …" : "")
}
