import Arrow
import Buffers

extension DataType {
  /// Few short texts as numbers.
  public static let codedTexts = DataType.dictionary(index: .int8, value: .utf8, isOrdered: false)
}

extension ArrowArray {
  /// Fewer rows gain nothing by codes.
  public static var leastCodedCount: Int { 512 }
  /// How many distinct texts have codes.
  public static var codeLimit: Int { 128 }

  /// Many texts of at most 128 distinct short ones as `codedTexts`; any other array is itself.
  ///
  /// Costs little where it does not apply: it gives up at the first long text or the 129th distinct one.
  public func codingTexts() -> ArrowArray {
    guard type == .utf8, count >= Self.leastCodedCount else { return self }
    var coder = ShortTextCoder()
    guard let codes = coder.codes(of: self, as: Int8.self) else { return self }
    return ArrowArray(
      .codedTexts, count: count, validity: validity,
      storage: .dictionary(indices: codes, values: take(Buffer(coder.firstRows))))
  }

  /// Texts in a dictionary with Int32 indices: of the distinct ones where these are few and short, else of all as they
  /// are, which costs no look at any.
  public func inDictionary() -> ArrowArray {
    precondition(type == .utf8, "\(type) is no text")
    var coder = ShortTextCoder()
    let codes = coder.codes(of: self, as: Int32.self)
    return ArrowArray(
      .textDictionary, count: count, validity: validity,
      storage: .dictionary(
        indices: codes ?? Self.ascending(count), values: codes == nil ? self : texts(of: coder.firstRows)))
  }

  private func texts(of rows: [Int32]) -> ArrowArray {
    var texts = VariableWidthBuilder(capacity: rows.count, dataCapacity: rows.count * 16)
    for row in rows { texts.append(bytes(Int(row)).bytes) }
    return texts.take()
  }

  /// 0, 1, 2 …, Int32 each.
  private static func ascending(_ count: Int) -> Buffer {
    count * 4 <= firstNumbers.byteCount ? firstNumbers.slice(0..<count * 4) : Buffer((0..<Int32(count)).map { $0 })
  }

  private static let firstNumbers = Buffer((0..<Int32(16_384)).map { $0 })

  /// A dictionary array with indices of a type that all of them fit.
  public func withIndices(as index: DataType) -> ArrowArray {
    guard case .dictionary(let values, let value, let isOrdered) = type, values != index,
      case .dictionary(_, let dictionary) = storage
    else { return self }
    precondition(index == .int32, "indices are widened to int32, not to \(index)")
    var indices = BufferBuilder(capacity: count * 4)
    for row in 0..<count { indices.append(Int32(truncatingIfNeeded: dictionaryIndex(row))) }
    return ArrowArray(
      .dictionary(index: index, value: value, isOrdered: isOrdered), count: count, validity: validity,
      storage: .dictionary(indices: indices.finish(), values: dictionary))
  }
}

/// Numbers short texts, which fit into two words and their length: no bytes are compared.
private struct ShortTextCoder {
  private static let slotCount = 512

  private struct Key: Equatable {
    var length: Int
    var first: UInt64
    var last: UInt64
  }

  /// Open addressing: code + 1, or 0.
  private var slots = [UInt8](repeating: 0, count: slotCount)
  private var keys: [Key] = []
  /// Where each code appeared first.
  private(set) var firstRows: [Int32] = []

  /// The code of each text, 0 for a null; nil when they are too many or too long, or all null.
  mutating func codes<Code: FixedWidthInteger & BitwiseCopyable>(of texts: ArrowArray, as: Code.Type) -> Buffer? {
    guard texts.nullCount < texts.count else { return nil }
    let (offsets, data) = (texts.offsets.span(of: Int32.self), texts.data)
    var codes = BufferBuilder(capacity: texts.count * MemoryLayout<Code>.size)
    for row in 0..<texts.count {
      if texts.isNull(row) {
        codes.append(Code(0))
        continue
      }
      let (start, end) = (Int(offsets[row]), Int(offsets[row + 1]))
      guard end - start <= 16, let code = code(of: data, start..<end, row: row) else { return nil }
      codes.append(Code(code))
    }
    return codes.finish()
  }

  @inline(__always) private mutating func code(of data: Buffer, _ range: Range<Int>, row: Int) -> Int8? {
    let key = Self.key(of: data, range)
    var slot = Int(truncatingIfNeeded: Hash64.combine(key.first &+ UInt64(key.length), key.last)) & (Self.slotCount - 1)
    while slots[slot] != 0 {
      let code = Int(slots[slot]) - 1
      if keys[code] == key { return Int8(truncatingIfNeeded: code) }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    guard keys.count < ArrowArray.codeLimit else { return nil }
    keys.append(key)
    firstRows.append(Int32(truncatingIfNeeded: row))
    slots[slot] = UInt8(truncatingIfNeeded: keys.count)
    return Int8(truncatingIfNeeded: keys.count - 1)
  }

  @inline(__always) private static func key(of data: Buffer, _ range: Range<Int>) -> Key {
    precondition(range.lowerBound >= 0 && range.upperBound <= data.byteCount, "offsets beyond their data")
    return unsafe data.withUnsafeBytes { bytes in
      let (first, last) = unsafe Hash64.short(bytes.baseAddress! + range.lowerBound, count: range.count)
      return Key(length: range.count, first: first, last: last)
    }
  }
}
