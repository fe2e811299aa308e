import Arrow
import Expressions

/// The columns that an expression may read, and the notes about what is wrong with those that try.
struct ExpressionScope {
  /// The columns whose type is known.
  private(set) var schema: Schema
  /// Columns of which a fault was reported: expressions that read them are not blamed.
  private(set) var broken: Set<String> = []
  /// Whether columns may be missing because of a fault: nobody is blamed for reading a column that is not there.
  var isPartial: Bool
  /// Columns that will be there when events are read, and cannot be read before.
  var laterNames: Set<String> = []

  init(_ columns: [Field], isPartial: Bool = false) {
    schema = Schema([])
    self.isPartial = isPartial
    for column in columns { add(column) }
  }

  /// - Parameter column: of type `null` when its own definition is at fault.
  mutating func add(_ column: Field) {
    if column.type == .null { broken.insert(column.name) } else { schema.fields.append(column) }
  }

  var names: [String] { schema.fields.map(\.name) }

  /// The type of the column that the expression's values fill; nil when it was noted why there is none.
  func type(of expression: String, at place: DefinitionError.Place, _ faults: Faults) -> DataType? {
    switch check(expression) {
    case .success(let type): return storable(type, at: place, faults)
    case .failure(let errors):
      note(errors, at: place, faults)
      return nil
    }
  }

  /// The same for an expression that chooses rows.
  func checkFilter(_ expression: String, at place: DefinitionError.Place, _ faults: Faults) {
    switch check(expression) {
    case .success(.boolean): break
    case .success(let type): faults.add(.notBoolean(type), at: place)
    case .failure(let errors): note(errors, at: place, faults)
    }
  }

  /// A column's name alone keeps the column's exact type; anything else has the type that CEL gives it.
  func check(_ expression: String) -> Result<DataType, ExpressionErrors> {
    do throws(ExpressionErrors) {
      return .success(try Expression.compile(expression, schema: schema).columnType ?? .null)
    } catch {
      return .failure(error)
    }
  }

  private func storable(_ type: DataType, at place: DefinitionError.Place, _ faults: Faults) -> DataType? {
    if DataType(text: type.description) != nil { return type }
    faults.add(.unstorable(type), at: place)
    return nil
  }

  func note(_ errors: ExpressionErrors, at place: DefinitionError.Place, _ faults: Faults) {
    for error in errors.errors where !isConsequence(error) {
      var place = place
      place.character = error.column
      if error.line > 1 { place.field = "\(place.field ?? ""), line \(error.line)" }
      if case .unknownName(let name, let suggestion) = error.reason, suggestion == nil || laterNames.contains(name) {
        faults.add(unknown(name), at: place)
      } else {
        faults.add(.expression(error.reason), at: place)
      }
    }
  }

  /// What is wrong with reading a column that is not there.
  func unknown(_ name: String) -> DefinitionError.Reason {
    laterNames.contains(name) ? .addedAtRequest(name) : .unknown("column", name, known: names)
  }

  private func isConsequence(_ error: ExpressionError) -> Bool {
    if case .unknownName(let name, _) = error.reason { isExcused(name) } else { false }
  }

  /// Whether expressions mean something else by `name` than a column, as by `true` or `in`.
  static func isWord(_ name: String) -> Bool {
    (try? Expression.compile(name, schema: Schema([Field(name, .int8)])))?.columnType != .int8
  }

  /// Whether a missing column follows from a fault that was noted already.
  func isExcused(_ name: String) -> Bool { isPartial || broken.contains(name) }
}

extension ExpressionErrors {
  /// The names that the expression reads and its scope lacks.
  var unknownNames: [String] {
    errors.compactMap { if case .unknownName(let name, _) = $0.reason { name } else { nil } }
  }
}
