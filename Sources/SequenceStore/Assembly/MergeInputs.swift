import Arrow
import ArrowKernels
import Buffers
import Definitions

/// What merging reads of some events: the key and the actions of each.
struct MergeInputs {
  /// Of int64: integers themselves, texts as `TextNumbers` numbers them.
  private let keys: ArrowArray
  /// Per event, the place of its action among `bits`; -1 for none. Nil where no actions are asked for.
  private let actions: Buffer?
  private let bits: [UInt64]

  /// - Parameters:
  ///   - events: with the columns that `definition` names.
  ///   - texts: shared by all events that may be merged with these.
  init(_ definition: MergeDefinition, _ events: RecordBatch, withActions: Bool, _ texts: inout TextNumbers) {
    let keys = events[definition.key]!
    self.keys = keys.type.valueType == .utf8 ? texts.numbers(of: keys) : keys.decoded().widened
    guard withActions, let hot = definition.actions, let values = events[hot.column]!.dictionaryEncoded() else {
      (actions, bits) = (nil, [])
      return
    }
    let names = values.children[0]
    actions = values.dictionaryIndices()
    bits = (0..<names.count).map { place in
      hot.values.firstIndex(of: names.string(place)).map { 1 << UInt64($0) } ?? 0
    }
  }

  func key(_ row: Int) -> Int64? { keys.isNull(row) ? nil : keys.values.load(row, as: Int64.self) }

  func actions(_ row: Int) -> UInt64 {
    guard let place = actions?.load(row, as: Int32.self), place >= 0 else { return 0 }
    return bits[Int(place)]
  }
}

/// Numbers for texts, equal ones for equal texts.
struct TextNumbers {
  private var numbers: [String: Int64] = [:]

  mutating func numbers(of texts: ArrowArray) -> ArrowArray {
    guard let coded = texts.dictionaryEncoded() else { return ArrowArray(nulls: .int64, count: texts.count) }
    let (values, indices) = (coded.children[0], coded.dictionaryIndices())
    let known = (0..<values.count).map { number(of: values.string($0)) }
    var output = FixedWidthBuilder<Int64>(capacity: texts.count)
    let places = indices.span(of: Int32.self)
    for row in 0..<texts.count { output.append(places[row] < 0 ? nil : known[Int(places[row])]) }
    return output.take(as: .int64)
  }

  private mutating func number(of text: String) -> Int64 {
    if let known = numbers[text] { return known }
    numbers[text] = Int64(numbers.count)
    return Int64(numbers.count - 1)
  }
}

extension ArrowArray {
  /// Integers as int64, those of uint64 by their bits.
  fileprivate var widened: ArrowArray {
    if type.byteWidth == 8 { return retyped(.int64) }
    return (try? cast(to: .int64)) ?? ArrowArray(nulls: .int64, count: count)
  }
}

extension MultiHot {
  /// - Parameter bits: by event, those of the values that its group has.
  func array(_ bits: [UInt64]) -> ArrowArray {
    var elements = BufferBuilder(capacity: bits.count * values.count)
    for bits in bits {
      for place in values.indices { elements.append(Int8(truncatingIfNeeded: bits >> UInt64(place) & 1)) }
    }
    let child = ArrowArray(.int8, count: bits.count * values.count, storage: .fixed(elements.finish()))
    return ArrowArray(field.type, count: bits.count, storage: .fixedSizeList(child: child))
  }
}
