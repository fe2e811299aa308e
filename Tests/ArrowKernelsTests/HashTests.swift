import Arrow
import ArrowKernels
import Buffers
import JSONText
import TestSupport
import Testing

@Suite struct HashTests {
  private func hashes(_ array: ArrowArray) -> [UInt64] {
    let buffer = array.hashes()
    return (0..<array.count).map { buffer.load($0, as: UInt64.self) }
  }

  @Test(arguments: SeededRandom.allTypes)
  func equalValuesHashAlikeAndOthersDiffer(type: DataType) {
    var random = SeededRandom(seed: 5)
    for nullEvery in [0, 4] {
      let array = random.array(type, count: 150, nullEvery: nullEvery)
      let other = random.array(type, count: 150, nullEvery: nullEvery == 0 ? 3 : 0)
      var known: [JSONValue: UInt64] = [:]
      for (value, hash) in zip(array.allValues + other.allValues, hashes(array) + hashes(other)) {
        #expect(known[value] ?? hash == hash, "\(value)")
        known[value] = hash
      }
      #expect(Set(known.values).count == known.count)
    }
  }

  @Test(arguments: SeededRandom.allTypes)
  func equalityAgreesWithTheReferenceReader(type: DataType) {
    var random = SeededRandom(seed: 6)
    let (left, right) = (random.array(type, count: 40), random.array(type, count: 40))
    for (a, b) in zip(0..<40, (0..<40).shuffled(using: &random)) {
      #expect(left.isEqual(a, to: right, b) == (left.value(at: a) == right.value(at: b)))
    }
    #expect(left.isEqual(to: ArrowArray.concatenate([left.slice(0..<7), left.slice(7..<40)])))
    #expect(left.isEqual(to: right) == (left.allValues == right.allValues))
  }

  @Test func integersHashAlikeWhateverTheirWidth() {
    let (narrow, wide) = (ArrowArray(.int8, [Int8(-3), 7]), ArrowArray(.int64, [Int64(-3), 7]))
    #expect(hashes(narrow) == hashes(wide))
  }

  @Test func rowHashesDependOnTheOrderOfColumns() {
    let schema = Schema([Field("a", .utf8), Field("b", .utf8)])
    let batch = RecordBatch(schema, [ArrowArray(["x", "y", nil]), ArrowArray(["y", "x", nil])])
    let forward = batch.rowHashes([0, 1])
    let backward = batch.rowHashes([1, 0])
    #expect(forward.load(0, as: UInt64.self) == backward.load(1, as: UInt64.self))
    #expect(forward.load(0, as: UInt64.self) != backward.load(0, as: UInt64.self))
  }

  @Test(arguments: [0, 1, 3, 4, 8, 15, 16, 17, 32, 33, 48, 49, 96, 97, 500])
  func everyByteCountsInAHash(length: Int) {
    let bytes = [UInt8](repeating: 7, count: length)
    let whole = unsafe Hash64.of(bytes.span.bytes)
    for position in 0..<length {
      var changed = bytes
      changed[position] = 8
      let other = unsafe Hash64.of(changed.span.bytes)
      #expect(other != whole)
    }
  }

  @Test(arguments: [
    DataType.utf8, .int64, .boolean, .fixedSizeList(Field("item", .float32), count: 3), .list(Field("item", .utf8)),
  ])
  func mergingGivesEachValueOneNumber(type: DataType) {
    var random = SeededRandom(seed: 7)
    var merger = DictionaryMerger(type)
    var seen: [JSONValue: Int32] = [:]
    for size in [0, 10, 300, 1, 50] {
      let values = random.array(type, count: size, nullEvery: size == 50 ? 5 : 0)
      let numbers = merger.add(values)
      for row in 0..<size {
        let number = numbers.load(row, as: Int32.self)
        #expect((number < 0) == values.isNull(row))
        if number < 0 { continue }
        #expect(seen[values.value(at: row), default: number] == number)
        seen[values.value(at: row)] = number
      }
      #expect(merger.count == seen.count)
      #expect(merger.take(numbers).allValues == values.allValues)
    }
    let values = merger.values()
    for (value, number) in seen { #expect(values.value(at: Int(number)) == value) }
  }
}
