import Arrow
import ArrowKernels
import Buffers

/// Keeps a column as numbers of distinct values while events are gathered, so that memory holds each value once however
/// many batches bring it.
final class ColumnCoder {
  /// Int32 codes, -1 for a null.
  static let codeType = DataType.int32

  /// What `decode` gives: plain or a dictionary.
  let type: DataType
  private var merger: DictionaryMerger
  /// The dictionary seen last and its codes: batches cut from one share it.
  private var last: (values: ArrowArray, codes: Buffer)?
  /// For every code its place in the batch in hand, -1 outside of `decode`.
  private var places = BufferBuilder()

  init(_ type: DataType) {
    self.type = type.codedType
    merger = DictionaryMerger(type.codedValueType)
  }

  var byteCount: Int { merger.byteCount + merger.count * 32 }

  /// The distinct values, by code.
  var values: ArrowArray { merger.values() }

  func encode(_ column: ArrowArray) -> ArrowArray {
    guard case .dictionary(_, let values) = column.storage else { return codes(merger.add(column)) }
    if let last, last.values.isIdentical(to: values) { return codes(Self.map(column, last.codes)) }
    let numbers = merger.add(values)
    last = (values, numbers)
    return codes(Self.map(column, numbers))
  }

  /// Lets go of the batch seen last.
  func settle() { last = nil }

  private func codes(_ buffer: Buffer) -> ArrowArray {
    ArrowArray(Self.codeType, count: buffer.byteCount / 4, storage: .fixed(buffer))
  }

  private static func map(_ column: ArrowArray, _ codes: Buffer) -> Buffer {
    let indices = column.dictionaryIndices()
    let positions = indices.span(of: Int32.self)
    var output = BufferBuilder(capacity: indices.byteCount)
    output.append(zeroes: indices.byteCount)
    output.withMutableSpan(of: Int32.self) { output in
      for row in 0..<positions.count {
        let position = Int(positions[row])
        output[row] = position < 0 ? -1 : codes.load(position, as: Int32.self)
      }
    }
    return output.finish()
  }

  /// The values of some codes; a dictionary holds the used ones only, in the order of their first use.
  func decode(_ codes: ArrowArray) -> ArrowArray {
    guard case .dictionary = type else { return merger.take(codes.values) }
    if places.byteCount < merger.count * 4 {
      places.append(repeating: Int32(-1), count: merger.count - places.byteCount / 4)
    }
    var used = BufferBuilder()
    var indices = BufferBuilder(capacity: codes.count * 4)
    indices.append(zeroes: codes.count * 4)
    number(codes.values, &indices, &used)
    let kept = used.finish()
    for row in 0..<kept.byteCount / 4 {
      places.overwrite(Int32(-1), atByteOffset: Int(kept.load(row, as: Int32.self)) * 4)
    }
    return ArrowArray(
      type, count: codes.count, validity: Self.validity(codes.values),
      storage: .dictionary(indices: indices.finish(), values: merger.take(kept)))
  }

  private func number(_ codes: Buffer, _ indices: inout BufferBuilder, _ used: inout BufferBuilder) {
    let codes = codes.span(of: Int32.self)
    places.withMutableSpan(of: Int32.self) { places in
      indices.withMutableSpan(of: Int32.self) { indices in
        for row in 0..<codes.count {
          let code = Int(codes[row])
          if code < 0 { continue }
          if places[code] < 0 {
            places[code] = Int32(truncatingIfNeeded: used.byteCount / 4)
            used.append(Int32(truncatingIfNeeded: code))
          }
          indices[row] = places[code]
        }
      }
    }
  }

  private static func validity(_ codes: Buffer) -> Bitmap? {
    let codes = codes.span(of: Int32.self)
    var validity = BitmapBuilder(capacity: codes.count)
    for row in 0..<codes.count { validity.append(codes[row] >= 0) }
    return validity.clearBitCount == 0 ? nil : validity.finish()
  }
}

extension DataType {
  /// The type of a coded column's distinct values.
  fileprivate var codedValueType: DataType {
    if case .dictionary(_, let value, _) = self { value } else { self }
  }

  /// This type with Int32 indices, if it is a dictionary's.
  fileprivate var codedType: DataType {
    if case .dictionary(_, let value, _) = self {
      .dictionary(index: .int32, value: value, isOrdered: false)
    } else {
      self
    }
  }
}
