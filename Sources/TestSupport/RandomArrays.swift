import Arrow
import Buffers

extension SeededRandom {
  /// One of each layout and width, nested and dictionary types included.
  public static let allTypes: [DataType] = [
    .null, .boolean, .int8, .uint16, .int32, .int64, .uint64, .float16, .float32, .float64, .utf8, .binary,
    .fixedSizeBinary(byteWidth: 3), .date32, .timestampMicrosUTC, .decimal128(precision: 30, scale: 2),
    .list(Field("item", .int32)), .list(Field("item", .utf8)), .list(Field("item", .list(Field("item", .int8)))),
    .fixedSizeList(Field("item", .float32), count: 4), .fixedSizeList(Field("item", .utf8), count: 2),
    .structure([Field("a", .int64), Field("b", .utf8), Field("c", .list(Field("item", .boolean)))]),
    .map(
      entries: Field(
        "entries", .structure([Field("key", .utf8, isNullable: false), Field("value", .int32)]), isNullable: false),
      keysSorted: false),
    .dictionary(index: .int8, value: .utf8, isOrdered: false),
    .dictionary(index: .int32, value: .fixedSizeList(Field("item", .float32), count: 3), isOrdered: false),
    .dictionary(index: .uint16, value: .int64, isOrdered: false),
    .list(Field("item", .dictionary(index: .int32, value: .utf8, isOrdered: false))),
  ]

  /// `count` random values of `type`; about one in `nullEvery` is null, none when 0. Values come from a small set, so
  /// that equal ones are frequent. The array is often a slice of a longer one.
  public mutating func array(_ type: DataType, count: Int, nullEvery: Int = 5) -> ArrowArray {
    let before = Int.random(in: 0...9, using: &self)
    let after = Int.random(in: 0...9, using: &self)
    let whole = wholeArray(type, count: before + count + after, nullEvery: nullEvery)
    return whole.slice(before..<before + count)
  }

  private mutating func validity(_ count: Int, nullEvery: Int) -> Bitmap? {
    if nullEvery == 0 { return nil }
    return Bitmap((0..<count).map { _ in Int.random(in: 0..<nullEvery, using: &self) > 0 })
  }

  private mutating func wholeArray(_ type: DataType, count: Int, nullEvery: Int) -> ArrowArray {
    let validity = type == .null ? nil : validity(count, nullEvery: nullEvery)
    return ArrowArray(
      type, count: count, validity: validity, storage: storage(type, count: count, nullEvery: nullEvery))
  }

  private mutating func storage(_ type: DataType, count: Int, nullEvery: Int) -> ArrowArray.Storage {
    switch type {
    case .null: return .null
    case .boolean: return .boolean(Bitmap((0..<count).map { _ in Bool.random(using: &self) }))
    case .utf8, .binary: return strings(count: count)
    case .list(let element), .map(let element, _):
      let offsets = offsets(count: count, below: 4)
      let child = array(element.type, count: Int(offsets.last!), nullEvery: element.isNullable ? nullEvery : 0)
      return .list(offsets: Buffer(offsets), child: child)
    case .fixedSizeList(let element, let length):
      return .fixedSizeList(child: array(element.type, count: count * length, nullEvery: nullEvery))
    case .structure(let fields):
      return .structure(
        children: fields.map { array($0.type, count: count, nullEvery: $0.isNullable ? nullEvery : 0) })
    case .dictionary(let index, let value, _):
      let values = array(value, count: 5, nullEvery: 0)
      return .dictionary(indices: integers(count: count, width: index.byteWidth!, below: 5), values: values)
    case .float16, .float32, .float64: return floats(type, count: count)
    default: return .fixed(integers(count: count, width: type.byteWidth!, below: 20))
    }
  }

  private mutating func integers(count: Int, width: Int, below bound: Int) -> Buffer {
    var output = BufferBuilder(capacity: count * width)
    for _ in 0..<count {
      let value = UInt64.random(in: 0..<UInt64(bound), using: &self)
      for byte in 0..<width { output.append(UInt8(truncatingIfNeeded: byte < 8 ? value >> UInt64(8 * byte) : 0)) }
    }
    return output.finish()
  }

  private mutating func floats(_ type: DataType, count: Int) -> ArrowArray.Storage {
    let numbers = (0..<count).map { _ in Double(Int.random(in: -8...8, using: &self)) / 4 }
    switch type {
    case .float16: return .fixed(Buffer(numbers.map { Float16($0) }))
    case .float32: return .fixed(Buffer(numbers.map { Float($0) }))
    default: return .fixed(Buffer(numbers))
    }
  }

  private mutating func offsets(count: Int, below bound: Int) -> [Int32] {
    var offsets: [Int32] = [0]
    for _ in 0..<count { offsets.append(offsets.last! + Int32.random(in: 0..<Int32(bound), using: &self)) }
    return offsets
  }

  private mutating func strings(count: Int) -> ArrowArray.Storage {
    let words =
      ["", "a", "pin", "home-feed", "exactly-16-bytes", "seventeen bytes !", "wörld"] + [
        String(repeating: "long ", count: 12)
      ]
    var offsets: [Int32] = [0]
    var data = BufferBuilder()
    for _ in 0..<count {
      data.append(utf8: words.randomElement(using: &self)!)
      offsets.append(Int32(data.byteCount))
    }
    return .variable(offsets: Buffer(offsets), data: data.finish())
  }
}
