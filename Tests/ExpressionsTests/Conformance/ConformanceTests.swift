import Expressions
import TestSupport
import Testing

/// The CEL conformance suite: every test passes or is refused before it is evaluated; none gives another value.
struct ConformanceTests {
  /// How many tests of each file of the suite pass, and how many are refused.
  private static let expected: [String: (passed: Int, refused: Int)] = [
    "basic": (43, 0), "bindings_ext": (8, 0), "comparisons": (334, 72), "conversions": (109, 0), "enums": (0, 85),
    "fields": (60, 0), "lists": (39, 0), "logic": (30, 0), "macros": (44, 0), "namespace": (14, 0), "plumbing": (5, 0),
    "proto3": (0, 85), "string": (51, 0), "string_ext": (0, 216), "type_deduction": (15, 32),
  ]

  @Test func noTestGivesAnotherValue() throws {
    guard let directory = SharedData.path("conformance/cel-spec") else { return }
    for name in SharedData.names(in: directory) where name.hasSuffix(".textproto") {
      let file = try Textproto.parse(SharedData.contents(of: "\(directory)/\(name)") ?? [])
      let counts = run(file, name: String(name.dropLast(".textproto".count)))
      if let expected = Self.expected[String(name.dropLast(".textproto".count))] {
        #expect(counts == expected, "\(name): (passed, refused)")
      }
    }
  }

  private func run(_ file: Textproto, name: String) -> (passed: Int, refused: Int) {
    var (passed, refused) = (0, 0)
    for section in file[all: "section"] {
      for message in section[all: "test"] {
        switch ConformanceTest(message: message).run() {
        case .passed: passed += 1
        case .refused: refused += 1
        case .failed(let why):
          let place = "\(name)/\(section["name"]?.string ?? "")/\(message["name"]?.string ?? "")"
          Issue.record("\(place): \(message["expr"]?.string ?? ""): \(why)")
        }
      }
    }
    return (passed, refused)
  }
}
