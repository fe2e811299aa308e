import Arrow
import ArrowKernels
import Buffers
import TestSupport
import Testing

@Suite struct SortTests {
  static let orderedTypes = SeededRandom.allTypes.filter { type in
    switch type.valueType {
    case .list, .fixedSizeList, .structure, .map, .decimal128: false
    default: true
    }
  }

  private func sorted(_ columns: [ArrowArray]) -> [Int32] {
    let count = columns[0].count
    return (0..<count).sorted { left, right in
      for column in columns {
        let order = column.compare(left, column, right)
        if order != 0 { return order < 0 }
      }
      return left < right
    }.map { Int32($0) }
  }

  private func permutation(_ columns: [ArrowArray]) -> [Int32] {
    let buffer = ArrowArray.sortPermutation(columns)
    return (0..<columns[0].count).map { buffer.load($0, as: Int32.self) }
  }

  @Test(arguments: orderedTypes, [0, 1, 2, 65, 300])
  func thePermutationAgreesWithAComparisonSort(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    for nullEvery in [0, 4] {
      let array = random.array(type, count: count, nullEvery: nullEvery)
      #expect(permutation([array]) == sorted([array]))
    }
  }

  @Test func severalKeysWiderThanAWord() {
    var random = SeededRandom(seed: 1)
    let count = 500
    let wide = ArrowArray(
      .int64, (0..<count).map { _ in [Int64.min, .max, 0, -1, 1, nil].randomElement(using: &random)! })
    let times = ArrowArray(.timestampMicrosUTC, (0..<count).map { _ in Int64.random(in: 0..<1 << 50, using: &random) })
    let words = random.array(.utf8, count: count)
    #expect(permutation([wide, times, words]) == sorted([wide, times, words]))
    #expect(permutation([words, wide, wide]) == sorted([words, wide]))
    #expect(permutation([words, random.array(.boolean, count: count), times]).count == count)
  }

  @Test func floatsFollowTheTotalOrder() {
    let values: [Double?] = [1, -.infinity, .nan, -0.0, 0.0, nil, -1, .infinity, -.nan, 1e-300]
    let array = ArrowArray(.float64, values)
    #expect(permutation([array]) == sorted([array]))
    #expect(permutation([array]) == [5, 8, 1, 6, 3, 4, 9, 0, 7, 2])
  }

  @Test func integersOfEverySignAndWidth() {
    let unsigned = ArrowArray(.uint64, [UInt64.max, 0, 1 << 63, nil])
    #expect(permutation([unsigned]) == [3, 1, 2, 0])
    let bytes = ArrowArray(.int8, [Int8(-128), 127, 0, -1])
    #expect(permutation([bytes]) == [0, 3, 2, 1])
  }
}
