import JSONText
import Serving
import TestSupport
import Testing

@Suite struct TenantTests {
  private static let hash = TokenHash("secret".utf8).hexadecimal
  private static let other = TokenHash("other".utf8).hexadecimal

  @Test func aFileSaysWhoMayReadWhat() throws {
    let document = try JSONValue(
      parsing: """
        {"tenants": [{"name": "a", "token_sha256": ["\(Self.hash)"], "concurrency": 2, "requests_per_second": 1.5,
                      "sequences": {"home": ["ts", "item"], "all": "*"}},
                     {"name": "b", "token_sha256": "\(Self.other)", "sequences": {"*": "*"}}]}
        """)
    let tenants = try Tenant.parse(document, file: "t.json")
    let access = tenants[0].access
    #expect(access.permits(sequence: "home") && access.permits(sequence: "all") && !access.permits(sequence: "x"))
    #expect(access.permits(column: "ts", of: "home") && !access.permits(column: "user", of: "home"))
    #expect(access.permits(column: "user", of: "all") && !access.permits(column: "ts", of: "x"))
    #expect(tenants[1].access.permits(column: "any", of: "x"))
    #expect(tenants[0].requestsPerSecond == 1.5 && tenants[0].concurrency == 2 && tenants[0].bytesPerSecond == nil)
  }

  private static func file(_ members: String) -> String {
    #"{"tenants": [{"name": "a", "token_sha256": "\#(hash)", "sequences": {"*": "*"}}, {\#(members)}]}"#
  }

  static let wrong: [(text: String, says: String)] = [
    ("[]", "it is no object"), (#"{"tenants": [], "x": 1}"#, "it is no object"), (#"{"tenants": [1]}"#, "no object"),
    (file(""), "it has no name"), (file(#""name": "a""#), "token_sha256 is missing"),
    (file(#""name": "b", "token_sha256": "abc""#), "no SHA-256"),
    (file(#""name": "b", "token_sha256": "\#(other)""#), "sequences is missing"),
    (file(#""name": "b", "token_sha256": "\#(other)", "sequences": {"x": []}"#), "'x' has neither"),
    (file(#""name": "b", "token_sha256": "\#(other)", "sequences": {"x": [1]}"#), "'x' has neither"),
    (file(#""name": "b", "token_sha256": "\#(hash)", "sequences": {}"#), "stands twice"),
    (file(#""name": "b", "token_sha256": ["\#(other)", "\#(other)"], "sequences": {}"#), "stands twice"),
    (file(#""name": "a", "token_sha256": "\#(other)", "sequences": {}"#), "tenants[1] 'a': another one"),
    (file(#""name": "b", "token_sha256": "\#(other)", "sequences": {}, "rate": 1"#), "no member 'rate'; use"),
    (file(#""name": "b", "token_sha256": "\#(other)", "sequences": {}, "concurrency": 0"#), "concurrency is no"),
    (file(#""name": "b", "token_sha256": "\#(other)", "sequences": {}, "bytes_per_second": "1""#), "bytes_per_second"),
  ]

  @Test(arguments: wrong) func whatIsWrongIsSaid(text: String, says: String) throws {
    let document = try JSONValue(parsing: text)
    let error = #expect(throws: TenantFileError.self) { try Tenant.parse(document, file: "t.json") }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  private func usage(_ members: String) throws -> TenantUsage {
    let tenant = #"{"name": "a", "token_sha256": "\#(Self.hash)", "sequences": {}, \#(members)}"#
    let document = try JSONValue(parsing: #"{"tenants": [\#(tenant)]}"#)
    return TenantUsage(try Tenant.parse(document, file: "t")[0], now: 0)
  }

  @Test func aRateIsKeptOnTheAverage() throws {
    let usage = try usage(#""requests_per_second": 10"#)
    var admitted = 0
    // Twenty seconds, asked 1 000 times a second.
    for millisecond in 0..<20_000 where usage.begin(now: Int64(millisecond) * 1_000_000) == nil { admitted += 1 }
    #expect((205...215).contains(admitted), "10 at once and 10 a second: \(admitted)")
    let refusal = usage.begin(now: 19_999_000_000)
    #expect(refusal?.limit == .rate && (0...0.1).contains(refusal?.seconds ?? 1))
  }

  @Test func concurrencyIsOfWhatIsNotAnsweredYet() throws {
    let usage = try usage(#""concurrency": 2"#)
    #expect(usage.begin(now: 0) == nil && usage.begin(now: 0) == nil)
    #expect(usage.begin(now: 0)?.limit == .concurrency)
    usage.end(byteCount: 10)
    #expect(usage.begin(now: 0) == nil && usage.begin(now: 0)?.limit == .concurrency)
  }

  @Test func bytesAreWaitedForAfterwards() throws {
    let usage = try usage(#""bytes_per_second": 1000"#)
    #expect(usage.begin(now: 0) == nil)
    usage.end(byteCount: 5_000)
    let refusal = usage.begin(now: 1_000_000_000)
    #expect(refusal?.limit == .bytes && abs((refusal?.seconds ?? 0) - 3) < 0.01)
    #expect(usage.begin(now: 4_100_000_000) == nil)
  }
}
