import Arrow
import Expressions

/// One test of the CEL conformance suite.
struct ConformanceTest {
  enum Outcome {
    case passed
    /// The expression, or what it is declared to read, is outside of what is supported.
    case refused(String)
    case failed(String)
  }

  let message: Textproto

  private var text: String { message["expr"]?.string ?? "" }

  func run() -> Outcome {
    var declared: [String: CELType] = [:]
    for declaration in message[all: "type_env"] {
      guard let name = declaration["name"]?.string else { continue }
      guard let type = declaration["ident"]?["type"] else { return .refused("declares the function '\(name)'") }
      guard let known = CELType(type) else { return .refused("declares '\(name)' of a message's type") }
      declared[name] = known
    }
    var values: [String: CELValue] = [:]
    for binding in message[all: "bindings"] {
      guard let name = binding["key"]?.string, let value = binding["value"]?["value"] else { continue }
      guard let known = CELValue(value) else { return .refused("binds '\(name)' to a message") }
      values[name] = known
      if declared[name] == nil { declared[name] = .dyn }
    }
    if message["unknown"] != nil || message["any_unknowns"] != nil { return .refused("expects an unknown") }
    return compile(declared, values)
  }

  private func compile(_ declared: [String: CELType], _ values: [String: CELValue]) -> Outcome {
    var options = Expression.Options()
    options.checksTypes = !(message["disable_check"]?.isTrue ?? false)
    options.requiresColumnType = false
    options.container = message["container"]?.string ?? ""
    let variables = declared.map { ExpressionVariable($0.key, $0.value) }
    do {
      let expression = try Expression.compile(
        text, schema: Schema([]), variables: variables, options: options)
      return judge(expression, values)
    } catch {
      return Self.judge(error, expectsError: expectsError)
    }
  }

  /// A refusal must name something unsupported or undeclared, or be of an expression that has to fail.
  private static func judge(_ refusal: ExpressionErrors, expectsError: Bool) -> Outcome {
    let isKnown = refusal.errors.contains { error in
      switch error.reason {
      case .unsupported, .unknownFunction, .unknownName: true
      default: false
      }
    }
    return isKnown || expectsError ? .refused(refusal.description) : .failed("refused: \(refusal)")
  }

  private var expectsError: Bool { message["eval_error"] != nil || message["any_eval_errors"] != nil }

  private func judge(_ expression: CheckedExpression, _ values: [String: CELValue]) -> Outcome {
    if let type = message["typed_result"]?["deduced_type"] {
      guard let type = CELType(type) else { return .failed("the type \(type) is not known") }
      guard type == expression.type else { return .failed("deduced \(expression.type), expected \(type)") }
    }
    if message["check_only"]?.isTrue ?? false { return .passed }
    let result = Result<CELValue, EvaluationError> { () throws(EvaluationError) in
      try expression.evaluate(variables: values)
    }
    if case .failed(let why) = judgeColumn(expression, result) { return .failed(why) }
    switch result {
    case .failure(let error):
      if case .undeclared = error, !expectsUnknownName { return .refused(error.description) }
      return expectsError ? .passed : .failed("evaluates to the error: \(error)")
    case .success(let value):
      if expectsError { return .failed("evaluates to \(value), expected an error") }
      return judge(value)
    }
  }

  /// Whether the test is about names that nobody declares.
  private var expectsUnknownName: Bool {
    let text = message["eval_error"]?["errors"]?["message"]?.string ?? ""
    return text.contains("undeclared") || text.contains("unbound") || text.contains("unknown variable")
  }

  private func judge(_ value: CELValue) -> Outcome {
    let expected: CELValue?
    if let value = message["value"] ?? message["typed_result"]?["result"] {
      expected = CELValue(value)
    } else {
      expected = .bool(true)
    }
    guard let expected else { return .failed("the expected value is a message") }
    return value.isSame(as: expected) ? .passed : .failed("evaluates to \(value), expected \(expected)")
  }

  /// The column of a batch of one row must hold the interpreter's value.
  private func judgeColumn(
    _ expression: CheckedExpression, _ result: Result<CELValue, EvaluationError>
  ) -> Outcome {
    guard expression.variables.isEmpty, expression.columnType != nil else { return .passed }
    let column = expression.evaluate(batch: RecordBatch(Schema([]), [], rowCount: 1))
    switch result {
    case .failure(let error):
      let isSame = column.errors?[0] ?? false
      return isSame
        ? .passed : .failed("the interpreter fails (\(error)), the column holds \(column.array.celValue(0))")
    case .success(let value):
      guard column.errors?[0] != true else { return .failed("the column fails, the interpreter holds \(value)") }
      return column.array.celValue(0).isSame(as: value)
        ? .passed : .failed("the column holds \(column.array.celValue(0)), the interpreter \(value)")
    }
  }
}

extension CELType {
  /// A `cel.expr.Type`; nil for messages.
  init?(_ type: Textproto) {
    if let primitive = type["primitive"]?.word {
      guard let known = Self.primitives[primitive] else { return nil }
      self = known
    } else if let wrapper = type["wrapper"]?.word {
      guard let known = Self.primitives[wrapper] else { return nil }
      self = .nullable(known)
    } else if let known = type["well_known"]?.word {
      guard known != "ANY" else { return nil }
      self = known == "TIMESTAMP" ? .timestamp : .duration
    } else if let list = type["list_type"] {
      guard let element = list["elem_type"].map({ CELType($0) }) ?? .some(.dyn) else { return nil }
      self = .list(element)
    } else if let map = type["map_type"] {
      guard let key = map["key_type"].flatMap({ CELType($0) }), let value = map["value_type"].flatMap({ CELType($0) })
      else {
        return nil
      }
      self = .map(key, value)
    } else if type["null"] != nil {
      self = .null
    } else if type["dyn"] != nil {
      self = .dyn
    } else {
      return nil
    }
  }

  private static let primitives: [String: CELType] = [
    "BOOL": .bool, "INT64": .int, "UINT64": .uint, "DOUBLE": .double, "STRING": .string, "BYTES": .bytes,
  ]
}

extension CELValue {
  /// A `cel.expr.Value`; nil for messages and enumerations.
  init?(_ value: Textproto) {
    guard case .message(let fields) = value, let field = fields.first else { return nil }
    switch field.name {
    case "null_value": self = .null
    case "bool_value": self = .bool(field.value.isTrue)
    case "int64_value": self = .int(Int64(field.value.word ?? "") ?? 0)
    case "uint64_value": self = .uint(UInt64(field.value.word ?? "") ?? 0)
    case "double_value": self = .double(Double(field.value.word ?? "") ?? .nan)
    case "string_value": self = .string(field.value.string ?? "")
    case "bytes_value": self = .bytes(field.value.bytes ?? [])
    case "type_value": self = .type(field.value.string ?? "")
    case "list_value":
      let elements = field.value[all: "values"].map { CELValue($0) }
      guard elements.allSatisfy({ $0 != nil }) else { return nil }
      self = .list(elements.compactMap { $0 })
    case "map_value":
      var entries: [(CELValue, CELValue)] = []
      for entry in field.value[all: "entries"] {
        guard let key = entry["key"].flatMap({ CELValue($0) }), let value = entry["value"].flatMap({ CELValue($0) })
        else {
          return nil
        }
        entries.append((key, value))
      }
      guard let map = try? CELMap(entries) else { return nil }
      self = .map(map)
    case "object_value":
      guard let known = CELValue(wellKnown: field.value) else { return nil }
      self = known
    default: return nil
    }
  }

  /// A timestamp or duration packed into an Any.
  private init?(wellKnown object: Textproto) {
    guard let name = object.fieldNames.first, let value = object[name] else { return nil }
    let seconds = Int128(value["seconds"]?.word ?? "0") ?? 0
    let nanoseconds = seconds * 1_000_000_000 + (Int128(value["nanos"]?.word ?? "0") ?? 0)
    switch name {
    case "type.googleapis.com/google.protobuf.Timestamp": self = .timestamp(CELTimestamp(nanoseconds: nanoseconds))
    case "type.googleapis.com/google.protobuf.Duration": self = .duration(CELDuration(nanoseconds: nanoseconds))
    default: return nil
    }
  }

  /// Whether the values and their types are the same; NaN is the same as NaN.
  func isSame(as other: CELValue) -> Bool {
    switch (self, other) {
    case (.double(let left), .double(let right)): left == right || (left.isNaN && right.isNaN)
    case (.list(let left), .list(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    case (.map(let left), .map(let right)):
      left.entries.count == right.entries.count
        && left.entries.allSatisfy { entry in right[entry.key].map { $0.isSame(as: entry.value) } ?? false }
    default: typeName == other.typeName && equals(other)
    }
  }
}
