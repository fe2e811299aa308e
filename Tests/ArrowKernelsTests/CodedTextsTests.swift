import Arrow
import ArrowKernels
import Testing

@Suite struct CodedTextsTests {
  private func texts(_ count: Int, distinct: Int, length: Int) -> [String?] {
    (0..<count).map { row in
      let number = String((row * 7919) % distinct)
      return row % 13 == 5 ? nil : String(repeating: "é", count: max(0, length - number.utf8.count) / 2) + number
    }
  }

  @Test(arguments: [1, 2, 127, 128], [1, 3, 4, 7, 8, 15, 16])
  func fewShortTextsAreCodedAndStayTheSame(distinct: Int, length: Int) throws {
    let values = texts(2_000, distinct: distinct, length: length)
    let plain = ArrowArray(values)
    let coded = plain.codingTexts()
    #expect(coded.type == .codedTexts)
    #expect(coded.children[0].count == distinct)
    #expect(coded.isEqual(to: plain))
    #expect(coded.decoded().isEqual(to: plain))
    let slice = plain.slice(700..<1_900)
    #expect(slice.codingTexts().isEqual(to: slice))
  }

  @Test func textsThatDifferInOneByteHaveDifferentCodes() {
    let base = Array("0123456789abcdef".utf8)
    for length in 0...16 {
      var values: [String?] = [String(decoding: base.prefix(length), as: UTF8.self)]
      for place in 0..<length {
        var bytes = Array(base.prefix(length))
        bytes[place] = 0x5A
        values.append(String(decoding: bytes, as: UTF8.self))
      }
      let plain = ArrowArray((0..<600).map { values[$0 % values.count] })
      #expect(plain.codingTexts().children[0].count == values.count)
      #expect(plain.codingTexts().isEqual(to: plain))
    }
  }

  @Test func otherArraysAreThemselves() {
    #expect(ArrowArray(texts(511, distinct: 2, length: 4)).codingTexts().type == .utf8)
    #expect(ArrowArray(texts(2_000, distinct: 129, length: 4)).codingTexts().type == .utf8)
    #expect(ArrowArray(texts(2_000, distinct: 2, length: 19)).codingTexts().type == .utf8)
    #expect(ArrowArray([String?](repeating: nil, count: 2_000)).codingTexts().type == .utf8)
    #expect(ArrowArray(.int64, [Int64?](repeating: 1, count: 2_000)).codingTexts().type == .int64)
  }

  @Test(arguments: [0, 1, 100, 2_000, 20_000]) func anyTextsCanBeInADictionary(count: Int) {
    let type = DataType.dictionary(index: .int32, value: .utf8, isOrdered: false)
    for (distinct, length) in [(1, 3), (128, 16), (129, 4), (5, 19)] {
      let plain = ArrowArray(texts(count, distinct: distinct, length: length))
      let coded = plain.inDictionary()
      #expect(coded.type == type && coded.count == count && coded.nullCount == plain.nullCount)
      #expect(coded.decoded().isEqual(to: plain))
      let slice = plain.slice(count / 3..<count)
      #expect(slice.inDictionary().decoded().isEqual(to: slice))
    }
    let nulls = ArrowArray([String?](repeating: nil, count: count)).inDictionary()
    #expect(nulls.type == type && nulls.nullCount == count)
  }

  @Test func indicesCanBeWidened() {
    let coded = ArrowArray(texts(2_000, distinct: 9, length: 4)).codingTexts()
    let wide = coded.withIndices(as: .int32)
    #expect(wide.type == .dictionary(index: .int32, value: .utf8, isOrdered: false))
    #expect(wide.decoded().isEqual(to: coded.decoded()))
  }
}
