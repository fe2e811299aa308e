import Arrow
import Buffers

/// Why a column could not be cast.
public enum CastError: Error, Hashable {
  /// There is no cast between the types.
  case unsupported(from: DataType, to: DataType)
  /// The value in `row` does not fit.
  case outOfRange(row: Int, to: DataType)
}

extension CastError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupported(let from, let to): "\(from) cannot be cast to \(to)"
    case .outOfRange(let row, let to): "row \(row): the value does not fit \(to); use a wider type"
    }
  }
}

/// What a cast does with a value that does not fit.
public enum CastOverflow: Sendable {
  case null, fail
}

extension ArrowArray {
  /// The same values as `target`.
  ///
  /// Integers to integers and floats (rounded to nearest), floats to floats (rounded; infinite when too large),
  /// timestamps, durations and dates to other units (rounded down), dictionaries to their values' casts, plain values to
  /// dictionaries, lists by their elements.
  public func cast(to target: DataType, overflow: CastOverflow = .fail) throws(CastError) -> ArrowArray {
    if type == target { return self }
    switch (type, target) {
    case (.dictionary(_, _, _), _): return try decoded().cast(to: target, overflow: overflow)
    case (_, .dictionary(let index, let value, _)):
      let plain = try cast(to: value, overflow: overflow)
      guard let encoded = plain.dictionaryEncoded(index: index) else { throw .unsupported(from: type, to: target) }
      return ArrowArray(target, count: count, validity: encoded.validity, storage: encoded.storage)
    case (.null, _): return ArrowArray(nulls: target, count: count)
    case (.utf8, .binary): return ArrowArray(.binary, count: count, validity: validity, storage: storage)
    case (.fixedSizeList(_, let length), .fixedSizeList(let element, let targetLength)) where length == targetLength:
      let child = try children[0].cast(to: element.type, overflow: overflow)
      return ArrowArray(target, count: count, validity: validity, storage: .fixedSizeList(child: child))
    case (.list, .list(let element)):
      let child = try children[0].cast(to: element.type, overflow: overflow)
      return ArrowArray(target, count: count, validity: validity, storage: .list(offsets: offsets, child: child))
    default: return try castNumbers(to: target, overflow: overflow)
    }
  }

  private func castNumbers(to target: DataType, overflow: CastOverflow) throws(CastError) -> ArrowArray {
    if type.isFloat && target.isFloat { return castFloats(to: target) }
    if type.isInteger && target.isFloat { return castIntegersToFloats(target) }
    if type.isInteger && target.isInteger { return try checked(castIntegers(to: target), as: target, overflow) }
    if let from = type.ticksPerDay, let to = target.ticksPerDay, type.isSpan == target.isSpan {
      let scaled = try checked(
        scaled(multiplier: max(1, to / from), divisor: max(1, from / to)), as: .int64, overflow)
      let narrowed = target == .date32 ? try scaled.cast(to: .int32, overflow: overflow) : scaled
      return narrowed.retyped(target)
    }
    throw .unsupported(from: type, to: target)
  }
}

extension ArrowArray {
  /// An array of converted values, of which those that do not fit are null or fail the cast.
  private func checked(
    _ converted: (values: Buffer, fits: Bitmap), as target: DataType, _ overflow: CastOverflow
  ) throws(CastError) -> ArrowArray {
    let kept = validity.map { $0.and(converted.fits) } ?? converted.fits
    let array = ArrowArray(target, count: count, validity: kept, storage: .fixed(converted.values))
    if overflow == .fail && array.nullCount > nullCount {
      throw .outOfRange(row: (0..<count).first { isValid($0) && array.isNull($0) }!, to: target)
    }
    return array
  }
}

extension DataType {
  /// Units per day of types that count time.
  fileprivate var ticksPerDay: Int64? {
    switch self {
    case .date32: 1
    case .date64: 86_400_000
    case .timestamp(let unit, _), .duration(let unit): 86_400 * unit.perSecond
    default: nil
    }
  }

  /// Whether a length of time, and no point in it.
  fileprivate var isSpan: Bool { if case .duration = self { true } else { false } }
}
