import Arrow

/// A place where a field's values lie in a raw event: keys joined by dots, with `[]` after an array's key.
///
/// `payload.commits[].sha` is the list of the `sha` of all commits. Expressions name it without the brackets.
package struct FieldPath: Sendable, Hashable, CustomStringConvertible {
  package var text: String

  package init(_ text: String) { self.text = text }

  package var description: String { text }

  /// The column's name in expressions: the path without its brackets.
  package var columnName: String { text.utf8.contains(UInt8(ascii: "[")) ? text.replacing("[]", with: "") : text }

  /// The path of the array that holds the value, if one does: `payload.commits` of `payload.commits[].sha`.
  package var arrayPath: String? { text.firstRange(of: "[]").map { String(text[..<$0.lowerBound]) } }

  /// Keys of letters, digits, `_` and the like, with at most one pair of brackets, at the end of a key.
  var isValid: Bool {
    let keys = text.split(separator: ".", omittingEmptySubsequences: false)
    return keys.filter { $0.hasSuffix("[]") }.count <= 1
      && keys.allSatisfy { Self.isKey($0.hasSuffix("[]") ? $0.dropLast(2) : $0) }
  }

  /// The keys, each pair of brackets a step of its own.
  var steps: [Substring] { text.replacing("[]", with: ".[]").split(separator: ".") }

  /// Whether two paths lead to one place, or need an object, an array or a plain value at the same one.
  static func areInConflict(_ first: [Substring], _ second: [Substring]) -> Bool {
    guard let (left, right) = zip(first, second).first(where: { $0 != $1 }) else { return true }
    return left == "[]" || right == "[]"
  }

  static func isKey(_ key: some StringProtocol) -> Bool {
    guard let first = key.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return key.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
  }
}

/// A field that is extracted from every raw event.
package struct SourceField: Sendable, Hashable {
  package var path: FieldPath
  /// The type of one value; the column of a path through an array is a list of it.
  package var type: FieldType

  package init(path: FieldPath, type: FieldType) {
    self.path = path
    self.type = type
  }

  /// The column that holds the field while raw events are whole.
  package var column: Field {
    Field(path.columnName, path.arrayPath == nil ? type.arrowType : type.arrowType.listType)
  }
}

/// A log of raw events: where it is, what each event holds, and which fields play the fixed roles.
package struct SourceDefinition: Sendable, Hashable {
  package var name: String
  /// A pattern of paths in which `{date}` stands for a day (`2026-11-20`) and `*` for any text without a slash.
  package var path: String
  package var fields: [SourceField]
  /// The paths of the fields that hold each role; all of them are among `fields`.
  package var user: FieldPath
  package var ts: FieldPath
  package var id: FieldPath
  package var revision: FieldPath?
  package var arrival: FieldPath?
  /// The field whose value is the event's kind, where the log has one.
  package var type: FieldPath?
  /// Events may arrive this much later than they happened, in microseconds.
  package var latenessMicros: Int64

  package func field(_ path: FieldPath) -> SourceField? { fields.first { $0.path == path } }

  /// The columns that expressions see on whole raw events, named as `FieldPath.columnName`.
  package var rawSchema: Schema { Schema(fields.map(\.column)) }

  /// The columns that expressions see once `explode` gave each element of an array its own row.
  package func rawSchema(exploding explode: Explode?) -> Schema {
    guard let explode else { return rawSchema }
    let columns = fields.map { field in
      field.path.arrayPath == explode.path.text ? Field(field.path.columnName, field.type.arrowType) : field.column
    }
    return Schema(columns + [Field(Explode.indexColumn, .int64)])
  }
}
