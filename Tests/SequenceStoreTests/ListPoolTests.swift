import Arrow
import ArrowKernels
import Buffers
import SequenceStore
import TestSupport
import Testing

/// Pages whose lists are held once for all say what they said before, byte for byte.
@Suite struct ListPoolTests {
  private static func page(_ lists: [[Float]?]) -> ArrowArray {
    var (offsets, numbers): ([Int32], [Float]) = ([0], [])
    for list in lists {
      numbers += list ?? []
      offsets.append(Int32(numbers.count))
    }
    return ArrowArray(
      .list(Field("element", .float32)), count: lists.count, validity: Bitmap(lists.map { $0 != nil }),
      storage: .list(offsets: Buffer(offsets), child: ArrowArray(.float32, numbers)))
  }

  /// The bits of each list's numbers.
  private static func bits(_ page: ArrowArray) -> [[UInt32]?] {
    let plain = page.decoded()
    return (0..<plain.count).map { row in
      plain.isNull(row) ? nil : plain.range(row).map { plain.children[0].values.load($0, as: UInt32.self) }
    }
  }

  private static func lists(_ count: Int, of distinct: Int, _ random: inout SeededRandom) -> [[Float]?] {
    (0..<count).map { _ in
      let number = Float(random.next() % UInt64(distinct))
      return random.next() % 9 == 0 ? nil : [number, -0.0, number.truncatingRemainder(dividingBy: 2) == 0 ? .nan : 0.0]
    }
  }

  @Test func listsAreHeldOnceWhateverPageHasThem() {
    var random = SeededRandom(seed: 3)
    let pool = ListPool(regionByteLimit: 12_000)
    var pages: [ArrowArray] = []
    for _ in 0..<20 {
      let page = Self.page(Self.lists(500, of: 300, &random))
      let pooled = pool.pooled(page.slice(7..<480))
      #expect(Self.bits(pooled) == Array(Self.bits(page)[7..<480]))
      #expect(pooled.type.valueType == .fixedSizeList(Field("element", .float32), count: 3))
      pages.append(pooled)
    }
    #expect(pool.byteCount <= 300 * 12 && pool.byteCount > 290 * 12)
    #expect(pages.allSatisfy { $0.children[0].isIdentical(to: pages[0].children[0]) })
    #expect(Self.bits(.concatenate(pages)) == pages.flatMap(Self.bits))
  }

  @Test func aFullPoolBeginsAnewAndForgetsWhatNoPageHas() {
    var random = SeededRandom(seed: 5)
    let pool = ListPool(regionByteLimit: 12 * 400)
    var pages: [(ArrowArray, [[UInt32]?])] = []
    for round in 0..<40 {
      // Each round has some lists that no other has.
      let lists = Self.lists(400, of: 100, &random).map { $0.map { [$0[0] + Float(round / 4 * 60), $0[1], $0[2]] } }
      let page = Self.page(lists)
      pages.append((pool.pooled(page), Self.bits(page)))
      if pages.count > 6 { pages.removeFirst() }
      for (pooled, bits) in pages { #expect(Self.bits(pooled) == bits) }
      #expect(pool.byteCount <= 3 * 12 * 400)
    }
    #expect(pages.contains { $0.0.type.valueType != $0.0.type })
    pages = []
    #expect(pool.byteCount <= 12 * 400)
  }

  @Test func whatSeldomRepeatsStaysAsItIs() {
    let pool = ListPool(regionByteLimit: 12 * 100)
    for round in 0..<6 {
      let page = Self.page((0..<60).map { [Float(round * 60 + $0), 1, 2] })
      let pooled = pool.pooled(page)
      #expect(Self.bits(pooled) == Self.bits(page))
      if round > 1 { #expect(pooled.type == page.type) }
    }
    #expect(pool.byteCount == 0)
  }

  @Test func listsOfSeveralLengthsAndOtherValuesStayAsTheyAre() {
    let pool = ListPool(regionByteLimit: 1 << 20)
    for page in [
      Self.page([[1, 2], [1]]), Self.page([nil, nil]), Self.page([]), Self.page([[], []]), ArrowArray(["a", "b"]),
      ArrowArray(.int64, [1, 2] as [Int64]),
    ] {
      #expect(pool.pooled(page).type == page.type)
    }
    #expect(pool.byteCount == 0)
  }
}
