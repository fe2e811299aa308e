import Engine
import Synchronization
import Testing

@Suite struct OrderedPipelineTests {
  struct Failure: Error, Equatable { var item: Int }

  @Test(arguments: [1, 2, 3, 8])
  func productsComeInTheOrderOfTheirItems(threads: Int) throws {
    var next = 0
    var written: [Int] = []
    try OrderedPipeline(threads: threads).run(
      read: {
        next += 1
        return next <= 1_000 ? next : nil
      },
      makeWorker: { { item in (0..<(item * 7919 % 500)).reduce(item) { sum, _ in sum } } },
      write: { written.append($0) })
    #expect(written == Array(1...1_000))
  }

  @Test(arguments: [1, 2, 4])
  func anErrorEndsTheRunAfterAllThatCameBefore(threads: Int) {
    var next = 0
    var written: [Int] = []
    #expect(throws: Failure(item: 50)) {
      try OrderedPipeline(threads: threads).run(
        read: {
          next += 1
          return next
        },
        makeWorker: { { (item: Int) throws in if item == 50 { throw Failure(item: item) } else { item } } },
        write: { written.append($0) })
    }
    #expect(written == Array(1...49))
  }

  @Test func aFailedReadIsReportedAfterTheItemsBeforeIt() {
    var next = 0
    var written: [Int] = []
    #expect(throws: Failure(item: 10)) {
      try OrderedPipeline(threads: 3).run(
        read: {
          next += 1
          if next == 10 { throw Failure(item: 10) }
          return next
        },
        makeWorker: { { $0 } }, write: { written.append($0) })
    }
    #expect(written == Array(1...9))
  }
}
