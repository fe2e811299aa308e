extension Function {
  func convert(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    guard arguments.count == 1 else { return nil }
    let value = arguments[0]
    switch self {
    case .dyn: return value
    case .type: return .type(value.typeName)
    case .int: return try toInt(value)
    case .uint: return try toUInt(value)
    case .double: return try toDouble(value)
    case .string: return try toText(value)
    case .bool: return try toBool(value)
    case .bytes: return toBytes(value)
    case .timestamp: return try toTimestamp(value)
    default: return try toDuration(value)
    }
  }

  /// The value, or the error that there is none.
  private func require<T>(_ result: T?, of value: CELValue) throws(EvaluationError) -> T {
    guard let result else { throw .invalidConversion(value: value.description, to: rawValue) }
    return result
  }

  private func toInt(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .int: value
    case .uint(let number): .int(try require(Int64(exactly: number), of: value))
    case .double(let number): .int(try require(Int64(celTruncating: number), of: value))
    case .string(let text): .int(try require(Int64(text), of: value))
    case .timestamp(let time): .int(time.seconds)
    default: nil
    }
  }

  private func toUInt(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .uint: value
    case .int(let number): .uint(try require(UInt64(exactly: number), of: value))
    case .double(let number): .uint(try require(UInt64(celTruncating: number), of: value))
    case .string(let text): .uint(try require(UInt64(text), of: value))
    default: nil
    }
  }

  private func toDouble(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .double: value
    case .int(let number): .double(Double(number))
    case .uint(let number): .double(Double(number))
    case .string(let text): .double(try require(Double(celText: text), of: value))
    default: nil
    }
  }

  private func toText(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .string: value
    case .bool(let bit): .string(bit ? "true" : "false")
    case .int(let number): .string(String(number))
    case .uint(let number): .string(String(number))
    case .double(let number): .string(number.celText)
    case .bytes(let bytes): .string(try require(String(validating: bytes, as: UTF8.self), of: value))
    case .timestamp(let time): .string(time.text)
    case .duration(let length): .string(length.text)
    default: nil
    }
  }

  private func toBool(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .bool: value
    case .string(let text): .bool(try require(Self.boolTexts[text], of: value))
    default: nil
    }
  }

  private static let boolTexts: [String: Bool] = [
    "1": true, "t": true, "T": true, "true": true, "TRUE": true, "True": true,
    "0": false, "f": false, "F": false, "false": false, "FALSE": false, "False": false,
  ]

  private func toBytes(_ value: CELValue) -> CELValue? {
    switch value {
    case .bytes: value
    case .string(let text): .bytes(Array(text.utf8))
    default: nil
    }
  }

  private func toTimestamp(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .timestamp: value
    case .string(let text): .timestamp(try require(CELTimestamp(text), of: value))
    case .int(let seconds): .timestamp(try CELTimestamp(seconds: seconds).inRange(rawValue))
    default: nil
    }
  }

  private func toDuration(_ value: CELValue) throws(EvaluationError) -> CELValue? {
    switch value {
    case .duration: value
    case .string(let text): .duration(try require(CELDuration(text), of: value))
    default: nil
    }
  }
}

extension Function {
  /// A part of a timestamp, on the clock of a zone where one is given, or of a duration.
  func timePart(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    switch arguments.first {
    case .timestamp(let time):
      var offset: Int64 = 0
      if arguments.count == 2 {
        guard case .string(let name) = arguments[1] else { return nil }
        offset = try TimeZone.named(name).offset(at: time.seconds)
      }
      guard arguments.count <= 2 else { return nil }
      let seconds = time.seconds.addingReportingOverflow(offset).partialValue
      return .int(part(seconds: seconds, nanos: Int64(time.nanos)))
    case .duration(let length) where arguments.count == 1: return part(of: length).map { .int($0) }
    default: return nil
    }
  }

  var isTimePart: Bool { rawValue.hasPrefix("get") }

  /// Of a point in time.
  /// - Parameter seconds: since 1970 on the clock that is asked for.
  func part(seconds: Int64, nanos: Int64) -> Int64 {
    let civil = CivilTime(seconds: seconds)
    return switch self {
    case .getFullYear: civil.year
    case .getMonth: civil.month - 1
    case .getDate: civil.day
    case .getDayOfMonth: civil.day - 1
    case .getDayOfWeek: civil.weekday
    case .getDayOfYear: civil.yearday
    case .getHours: civil.hour
    case .getMinutes: civil.minute
    case .getSeconds: civil.second
    default: nanos / 1_000_000
    }
  }

  /// The whole length in a unit; only the milliseconds are those within the last second.
  func part(of length: CELDuration) -> Int64? {
    let seconds = Int64(clamping: length.nanoseconds / 1_000_000_000)
    return switch self {
    case .getHours: seconds / 3600
    case .getMinutes: seconds / 60
    case .getSeconds: seconds
    case .getMilliseconds: Int64(length.nanoseconds / 1_000_000 % 1_000)
    default: nil
    }
  }
}
