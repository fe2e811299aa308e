import Arrow
import ArrowKernels
import Buffers
import JSONText
import TestSupport
import Testing

@Suite struct SelectionTests {
  static let counts = [0, 1, 7, 63, 64, 65, 200]

  @Test(arguments: SeededRandom.allTypes, counts)
  func filteringKeepsTheSelectedRows(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    for nullEvery in [0, 4] {
      let array = random.array(type, count: count, nullEvery: nullEvery)
      let bits = (0..<count).map { _ in Bool.random(using: &random) }
      let expected = (0..<count).filter { bits[$0] }.map { array.value(at: $0) }
      #expect(array.filter(Bitmap(bits)).allValues == expected)
      #expect(array.filter(Bitmap(repeating: true, count: count)).allValues == array.allValues)
      #expect(array.filter(Bitmap(repeating: false, count: count)).count == 0)
    }
  }

  @Test(arguments: SeededRandom.allTypes, counts)
  func takingFollowsTheIndices(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count) + 1)
    for nullEvery in [0, 4] {
      let array = random.array(type, count: count, nullEvery: nullEvery)
      let indices = (0..<count * 2).map { _ in Int32.random(in: -1..<Int32(count), using: &random) }
      let taken = array.take(Buffer(indices))
      #expect(taken.allValues == indices.map { $0 < 0 ? .null : array.value(at: Int($0)) })
      let positive = indices.filter { $0 >= 0 }
      #expect(array.take(Buffer(positive)).allValues == positive.map { array.value(at: Int($0)) })
    }
  }

  @Test(arguments: SeededRandom.allTypes, counts)
  func interleavingReadsEachSource(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count) + 2)
    let sources = [count, 3, 70].map { random.array(type, count: $0, nullEvery: $0 == 3 ? 0 : 4) }
    let rows = (0..<count * 3).map { _ in
      let source = Int.random(in: (count == 0 ? 1 : 0)..<3, using: &random)
      return RowReference(
        source: Int32(source), row: Int32.random(in: -1..<Int32(sources[source].count), using: &random))
    }
    let expected = rows.map { $0.row < 0 ? .null : sources[Int($0.source)].value(at: Int($0.row)) }
    #expect(ArrowArray.interleave(sources, Buffer(rows)).allValues == expected)
  }

  @Test(arguments: SeededRandom.allTypes, counts)
  func concatenatingKeepsAllRowsInOrder(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count) + 3)
    let arrays = [count, 0, 5, 67].map { random.array(type, count: $0, nullEvery: $0 == 5 ? 0 : 4) }
    let whole = ArrowArray.concatenate(arrays)
    #expect(whole.allValues == arrays.flatMap(\.allValues))
    #expect(ArrowArray.concatenate([whole, whole]).allValues == whole.allValues + whole.allValues)
    #expect(arrays[0].copied().allValues == arrays[0].allValues)
  }

  @Test func aSharedDictionaryIsKept() {
    var random = SeededRandom(seed: 9)
    let array = random.array(.dictionary(index: .int8, value: .utf8, isOrdered: false), count: 100)
    let (left, right) = (array.slice(0..<40), array.slice(40..<100))
    let whole = ArrowArray.concatenate([left, right])
    #expect(whole.children[0].isIdentical(to: array.children[0]))
    #expect(whole.allValues == array.allValues)
  }

  @Test func tooManyDictionaryValuesForTheirIndicesWidenThem() {
    func dictionary(_ prefix: String) -> ArrowArray {
      let values = ArrowArray((0..<100).map { "\(prefix)\($0)" })
      let indices = Buffer((0..<100).map { Int8($0) })
      return ArrowArray(
        .dictionary(index: .int8, value: .utf8, isOrdered: false), count: 100,
        storage: .dictionary(indices: indices, values: values))
    }
    let parts = [dictionary("a"), dictionary("b")]
    let whole = ArrowArray.concatenate(parts)
    #expect(whole.type == .dictionary(index: .int32, value: .utf8, isOrdered: false))
    #expect(whole.allValues == parts.flatMap(\.allValues))
    let schema = Schema([Field("d", parts[0].type)])
    let batch = RecordBatch.concatenate(parts.map { RecordBatch(schema, [$0]) })
    #expect(batch.schema.fields[0].type == whole.type)
  }

  @Test(arguments: [DataType.utf8, .fixedSizeList(Field("item", .float32), count: 3)], [0, 4])
  func batchesThatShareDictionariesKeepTheirRows(value: DataType, nullEvery: Int) {
    var random = SeededRandom(seed: 12)
    let type = DataType.dictionary(index: .int8, value: value, isOrdered: false)
    let schema = Schema([Field("d", type), Field("x", .int64)])
    let batches = [100, 0, 90].map { count in
      RecordBatch(schema, schema.fields.map { random.array($0.type, count: count, nullEvery: nullEvery) })
    }
    let shared = RecordBatch.sharingDictionaries(batches)
    #expect(shared.map(\.rowCount) == [100, 0, 90])
    for (before, after) in zip(batches, shared) {
      #expect(zip(before.columns, after.columns).allSatisfy { $0.allValues == $1.allValues })
      #expect(after.columns[0].children[0].isIdentical(to: shared[0].columns[0].children[0]))
    }
  }

  @Test(arguments: [DataType.utf8, .int64, .fixedSizeList(Field("item", .float32), count: 3)], [0, 4])
  func batchesThatComeAfterOthersGoOnWithTheirDictionaries(value: DataType, nullEvery: Int) {
    var random = SeededRandom(seed: 13)
    let type = DataType.dictionary(index: .int8, value: value, isOrdered: false)
    let schema = Schema([Field("d", type), Field("x", .int64)])
    var (earlier, rows): ([RecordBatch], [[JSONValue]]) = ([], [])
    for counts in [[40, 0, 9], [100], [0], [100, 90], [120, 120, 3], [1]] {
      let batches = counts.map { count in
        RecordBatch(schema, schema.fields.map { random.array($0.type, count: count, nullEvery: nullEvery) })
      }
      let (joined, before) = RecordBatch.concatenate(batches, after: earlier)
      #expect(before.map(\.allRows) == rows)
      earlier = before + [joined]
      rows.append(batches.flatMap(\.allRows))
      #expect(joined.allRows == rows.last)
    }
    let last = earlier.last!.columns[0]
    let sharing = earlier.suffix(2).filter { $0.columns[0].type == last.type }
    #expect(sharing.allSatisfy { $0.columns[0].children[0].isIdentical(to: last.children[0]) })
  }

  @Test func earlierBatchesWithOtherDictionariesKeepThem() {
    func batch(_ texts: [String], _ indices: [Int8]) -> RecordBatch {
      let type = DataType.dictionary(index: .int8, value: .utf8, isOrdered: false)
      let column = ArrowArray(
        type, count: indices.count, storage: .dictionary(indices: Buffer(indices), values: ArrowArray(texts)))
      return RecordBatch(Schema([Field("d", type)]), [column])
    }
    // The second's dictionary has a text twice, so its numbers cannot stay.
    let earlier = [batch(["a", "b"], [0, 1]), batch(["c", "c"], [1, 0])]
    let (joined, before) = RecordBatch.concatenate([batch(["d", "a"], [1, 0])], after: earlier)
    #expect(joined.columns[0].allValues == ["a", "d"])
    #expect(before.map { $0.columns[0].allValues } == [["a", "b"], ["c", "c"]])
    #expect(zip(before, earlier).allSatisfy { $0.columns[0].children[0].isIdentical(to: $1.columns[0].children[0]) })
    let (next, all) = RecordBatch.concatenate([batch(["e"], [0])], after: [joined])
    #expect(next.columns[0].children[0].allValues == ["c", "d", "a", "e"])
    #expect(all[0].columns[0].children[0].isIdentical(to: next.columns[0].children[0]))
    #expect(all[0].columns[0].allValues == ["a", "d"] && next.columns[0].allValues == ["e"])
  }

  @Test(arguments: [0, 1, 63, 64, 65, 1000])
  func setIndicesAreThePositionsOfTheOnes(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    let bits = (0..<count + 3).map { _ in Bool.random(using: &random) }
    let bitmap = Bitmap(bits).slice(3..<count + 3)
    let indices = bitmap.setIndices()
    let expected = (0..<count).filter { bits[$0 + 3] }
    #expect((0..<indices.byteCount / 4).map { Int(indices.load($0, as: Int32.self)) } == expected)
  }

  @Test func columnsThatShareMemoryStillDo() {
    let times = ArrowArray(.int64, count: 5, storage: .fixed(Buffer([Int64](0..<5))))
    let schema = Schema([Field("ts", .int64), Field("x", .int64), Field("seen_at", .int64)])
    let other = ArrowArray(.int64, count: 5, storage: .fixed(Buffer([Int64](5..<10))))
    let batch = RecordBatch(schema, [times, other, times])
    let rows = [RowReference(source: 1, row: 4), RowReference(source: 0, row: 2)]
    let interleaved = RecordBatch.interleave([batch, batch], Buffer(rows))
    let copy = batch.copied()
    #expect(copy.columns[0].values.isIdentical(to: copy.columns[2].values) && copy.allRows == batch.allRows)
    for found in [batch.take(Buffer([Int32](arrayLiteral: 4, 2))), interleaved] {
      #expect(found.columns.map(\.allValues) == [[4, 2], [9, 7], [4, 2]])
      #expect(found.columns[0].values.isIdentical(to: found.columns[2].values))
      #expect(!found.columns[0].values.isIdentical(to: found.columns[1].values))
    }
  }
}
