import Engine
import Glibc
import Testing

@Suite struct ThreadTests {
  private static func niceness() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

  @Test(arguments: [(.normal, 0), (.low, 5), (.background, 10)] as [(ThreadPriority, Int32)])
  func aThreadAndThoseThatItStartsHaveItsPriority(priority: ThreadPriority, nicer: Int32) throws {
    let own = Self.niceness()
    let (found, inner) = try onThread(priority) { (Self.niceness(), try onThread(.normal) { Self.niceness() }) }
    #expect(found == min(own + nicer, 19))
    #expect(inner == found)
    #expect(Self.niceness() == own)
  }

  @Test func whatGoesWrongOnAThreadIsThrown() {
    struct Failure: Error {}
    #expect(throws: Failure.self) { try onThread(.normal) { throw Failure() } }
  }
}
