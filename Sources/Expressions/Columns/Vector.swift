import Arrow
import ArrowKernels
import Buffers

/// What an expression is for each row of a batch, and for which rows it failed.
struct Vector {
  enum Values {
    case array(ArrowArray)
    /// The same for all rows.
    case constant(CELValue)
    /// One by one, where no array holds them: values of several types, times finer than a column's.
    case rows([CELValue])
  }

  let values: Values
  let count: Int
  /// The rows that failed; what `values` holds there means nothing. Nil when none did.
  let errors: Bitmap?

  init(_ values: Values, count: Int, errors: Bitmap? = nil) {
    self.values = values
    self.count = count
    self.errors = errors
  }

  init(_ array: ArrowArray, errors: Bitmap? = nil) { self.init(.array(array), count: array.count, errors: errors) }

  /// Booleans without nulls; errors are false in `bits`.
  init(_ bits: Bitmap, errors: Bitmap?) {
    let kept = errors.map { bits.and($0.inverted()) } ?? bits
    self.init(ArrowArray(.boolean, count: bits.count, storage: .boolean(kept)), errors: errors)
  }

  /// Failed for every row.
  init(failedRows count: Int) {
    self.init(.constant(.null), count: count, errors: Bitmap(repeating: true, count: count))
  }

  /// The value of a row that did not fail.
  func value(_ row: Int) -> CELValue {
    switch values {
    case .array(let array): array.celValue(row)
    case .constant(let value): value
    case .rows(let rows): rows[row]
    }
  }

  func isError(_ row: Int) -> Bool { errors?[row] ?? false }

  var constant: CELValue? {
    if case .constant(let value) = values { value } else { nil }
  }

  /// The array, its dictionary decoded.
  var plainArray: ArrowArray? {
    if case .array(let array) = values { array.decoded() } else { nil }
  }

  /// The rows that are null or failed; nil when none is.
  var missing: Bitmap? { union(nulls, errors) }

  /// The rows that are null; nil when none is.
  var nulls: Bitmap? {
    switch values {
    case .array(let array):
      array.type == .null && array.count > 0
        ? Bitmap(repeating: true, count: count) : array.decodedValidity.map { $0.inverted() }
    case .constant(let value): value.isNull && count > 0 ? Bitmap(repeating: true, count: count) : nil
    case .rows(let rows): rows.contains(where: \.isNull) ? Bitmap(rows.map(\.isNull)) : nil
    }
  }

  /// With further failures.
  func failing(_ more: Bitmap?) -> Vector { Vector(values, count: count, errors: union(errors, more)) }

  /// The rows at `indices`, Int32 each.
  func take(_ indices: Buffer) -> Vector {
    let total = indices.byteCount / 4
    let taken: Values =
      switch values {
      case .array(let array): .array(array.take(indices))
      case .constant: values
      case .rows(let rows): .rows((0..<total).map { rows[Int(indices.load($0, as: Int32.self))] })
      }
    return Vector(taken, count: total, errors: errors.map { bits($0, at: indices) })
  }

  private func bits(_ bits: Bitmap, at indices: Buffer) -> Bitmap {
    var builder = BitmapBuilder(capacity: indices.byteCount / 4)
    for index in 0..<indices.byteCount / 4 { builder.append(bits[Int(indices.load(index, as: Int32.self))]) }
    return builder.finish()
  }
}

/// The bits that are set in one or the other; nil when there are none.
func union(_ first: Bitmap?, _ second: Bitmap?) -> Bitmap? {
  guard let first else { return second }
  return second.map { first.or($0) } ?? first
}

extension ArrowArray {
  /// Which rows have a value, those whose dictionary value is null left out.
  fileprivate var decodedValidity: Bitmap? {
    guard case .dictionary(_, let values) = storage, values.nullCount > 0 else { return validity }
    return decoded().validity
  }
}

extension Vector {
  /// A boolean vector in three states: true, unknown (failed, null or no boolean), else false.
  struct Truth {
    /// Clear where unknown.
    var isTrue: Bitmap
    var unknown: Bitmap?

    var isFalse: Bitmap { (unknown.map { isTrue.or($0) } ?? isTrue).inverted() }
    var vector: Vector { Vector(isTrue, errors: unknown) }
  }

  var truth: Truth {
    switch values {
    case .constant(let value):
      guard case .bool(let bit) = value else {
        return Truth(isTrue: clear, unknown: Bitmap(repeating: true, count: count))
      }
      let bits = Bitmap(repeating: bit, count: count)
      return Truth(isTrue: errors.map { bits.and($0.inverted()) } ?? bits, unknown: errors)
    case .array(let array):
      guard case .boolean(let bits) = array.decoded().storage else {
        return Truth(isTrue: clear, unknown: Bitmap(repeating: true, count: count))
      }
      guard let missing else { return Truth(isTrue: bits, unknown: nil) }
      return Truth(isTrue: bits.and(missing.inverted()), unknown: missing)
    case .rows(let rows): return Self.truth(of: rows, errors)
    }
  }

  private var clear: Bitmap { Bitmap(repeating: false, count: count) }

  private static func truth(of rows: [CELValue], _ errors: Bitmap?) -> Truth {
    var isTrue = BitmapBuilder(capacity: rows.count)
    var unknown = BitmapBuilder(capacity: rows.count)
    for (row, value) in rows.enumerated() {
      if case .bool(let bit) = value, errors?[row] != true {
        isTrue.append(bit)
        unknown.append(false)
      } else {
        isTrue.append(false)
        unknown.append(true)
      }
    }
    return Truth(isTrue: isTrue.finish(), unknown: unknown.finish())
  }
}
