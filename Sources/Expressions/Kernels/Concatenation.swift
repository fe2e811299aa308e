import Arrow
import Buffers

/// A column of texts, or one text for all rows.
private struct TextOperand {
  var offsets: Buffer
  var data: Buffer
  var count: Int
  var type: DataType
  /// 0 for a constant, so that every row reads its only value.
  var step: Int
}

extension ColumnEvaluator {
  /// `text + text` and `bytes + bytes`; nil for other types and for a column beyond the limit.
  func concatenate(_ left: Vector, _ right: Vector) -> Vector? {
    guard let first = left.textOperand, let second = right.textOperand, first.type == second.type,
      first.step + second.step > 0
    else { return nil }
    let (head, tail) = (
      TextValues(offsets: first.offsets, data: first.data, count: first.count),
      TextValues(offsets: second.offsets, data: second.data, count: second.count)
    )
    let total = head.byteCount * (first.step == 0 ? count : 1) + tail.byteCount * (second.step == 0 ? count : 1)
    guard total <= CELValue.byteLimit else { return nil }
    var ends = BufferBuilder(capacity: (count + 1) * 4)
    ends.append(Int32(0))
    var data = BufferBuilder(capacity: total)
    unsafe data.appendUnsafely(capacity: total) { memory in
      var end = 0
      for row in 0..<count {
        unsafe end = head.copy(row &* first.step, to: memory, at: end)
        unsafe end = tail.copy(row &* second.step, to: memory, at: end)
        ends.append(Int32(truncatingIfNeeded: end))
      }
      return end
    }
    let storage = ArrowArray.Storage.variable(offsets: ends.finish(), data: data.finish())
    return Vector(
      ArrowArray(first.type, count: count, storage: storage), errors: union(left.missing, right.missing))
  }
}

extension Vector {
  fileprivate var textOperand: TextOperand? {
    switch values {
    case .constant(.string(let text)): return Self.operand(Array(text.utf8), .utf8)
    case .constant(.bytes(let bytes)): return Self.operand(bytes, .binary)
    case .array:
      guard let array = plainArray, array.type == .utf8 || array.type == .binary else { return nil }
      return TextOperand(
        offsets: array.offsets.aligned(for: Int32.self), data: array.data, count: array.count, type: array.type, step: 1
      )
    default: return nil
    }
  }

  private static func operand(_ bytes: [UInt8], _ type: DataType) -> TextOperand? {
    guard bytes.count <= CELValue.byteLimit else { return nil }
    return TextOperand(
      offsets: Buffer([Int32(0), Int32(bytes.count)]), data: Buffer(bytes), count: 1, type: type, step: 0)
  }
}
