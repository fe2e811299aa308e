import Glibc
import JSONText
import Serving
import TestSupport
import Testing

@Suite struct TenantServingTests {
  private static func tenant(_ name: String, _ members: String) -> String {
    let token = "token of " + name
    return #"{"name": "\#(name)", "token_sha256": "\#(TokenHash(token.utf8).hexadecimal)", \#(members)}"#
  }

  private static func file(_ tenants: String...) -> String { #"{"tenants": [\#(tenants.joined(separator: ", "))]}"# }

  private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer token of \(name)"] }

  private static let reader = tenant("reader", #""sequences": {"all": ["ts", "item_id"]}"#)
  private static let owner = tenant("owner", #""sequences": {"*": "*"}"#)

  private func server(_ text: String) throws -> (TestServer, TenantDirectory) {
    let made = try ServedStore(500)
    made.directory.write(text, to: "tenants.json")
    let tenants = try TenantDirectory(file: made.directory.path + "/tenants.json")
    return (try TestServer(made, gate: Gate(tenants: tenants)), tenants)
  }

  @Test func whoIsUnknownIsToldHowToSay() throws {
    let (server, _) = try server(Self.file(Self.reader))
    for headers in [
      [:], ["Authorization": "Bearer token of reader2"], ["Authorization": "Bearer "], ["Authorization": "Basic eDp5"],
      ["Authorization": "Bearer"], ["Authorization": ""], ["Authorization": "token of reader"],
    ] {
      for target in ["/v1/sequences", "/v1/sequences/all", "/v1/sequences/all/users/1", "/nothing"] {
        let answer = try server.get(target, headers: headers)
        #expect(answer.status == 401, "\(headers)")
        #expect(answer.headers["www-authenticate"]?.hasPrefix(#"Bearer realm="seqline""#) == true)
      }
    }
    #expect(try server.get("/v1/sequences", headers: ["Authorization": "bearer  token of reader"]).status == 200)
    #expect(try server.get("/healthz").status == 200)
    #expect(try server.get("/readyz").status == 200)
    #expect(try server.get("/metrics").status == 200, "from this machine")
  }

  @Test func oneReadsWhatIsOnesOwn() throws {
    let (server, _) = try server(Self.file(Self.reader, Self.owner))
    let reader = Self.bearer("reader")
    let names = try server.get("/v1/sequences", headers: reader).json["sequences"]?.array?.map { $0["name"] }
    #expect(names == ["all"])
    let contract = try server.get("/v1/sequences/all", headers: reader).json
    #expect(contract["columns"]?.array?.map { $0["name"] } == ["ts", "item_id"])
    let events = "/v1/sequences/all/users/1?until=2026-11-22T00:00:00Z"
    let answer = try server.get(events + "&layout=columns", headers: reader)
    #expect(Set(answer.json["events"]?.object?.keys.map { $0 } ?? []) == ["ts", "item_id"])
    #expect(try server.get(events + "&columns=item_id", headers: reader).status == 200)
    for target in [
      events + "&columns=ts,score", "/v1/sequences/saves", "/v1/sequences/saves/users/1", "/v1/sequences/no",
    ] {
      let refused = try server.get(target, headers: reader)
      #expect(refused.status == 403 && refused.json["error"]?.string?.contains("not yours") == true, "\(target)")
    }
    // The same words of another caller mean what that one may read.
    for _ in 0..<2 {
      let all = try server.get(events, headers: Self.bearer("owner"))
      #expect(all.json["events"]?.array?.first?.object?.count ?? 0 > 2)
      let own = try server.get(events, headers: reader)
      #expect(own.json["events"]?.array?.first?.object?.count == 2)
    }
    #expect(try server.get("/v1/sequences/no", headers: Self.bearer("owner")).status == 404)
  }

  @Test func limitsAreKept() throws {
    let limited = Self.tenant("limited", #""sequences": {"*": "*"}, "requests_per_second": 0.5"#)
    let (server, _) = try server(Self.file(limited, Self.owner))
    let target = "/v1/sequences/all/users/1"
    let first = try server.get(target, headers: Self.bearer("limited"))
    #expect(first.status == 200)
    var limitedByteCount = first.body.count
    for _ in 0..<3 {
      let answer = try server.get(target, headers: Self.bearer("limited"))
      limitedByteCount += answer.body.count
      #expect(answer.status == 429 && (1...2).contains(Int(answer.headers["retry-after"] ?? "") ?? 0))
      #expect(try server.get(target, headers: Self.bearer("owner")).status == 200)
    }
    let samples = try PrometheusSamples(server.get("/metrics").text)
    #expect(samples["seqline_tenant_throttled_total", ["tenant": "limited", "limit": "rate"]] == 3)
    #expect(samples["seqline_tenant_requests_total", ["tenant": "limited", "status": "200"]] == 1)
    #expect(samples["seqline_tenant_requests_total", ["tenant": "limited", "status": "429"]] == 3)
    #expect(samples["seqline_tenant_requests_total", ["tenant": "owner", "status": "200"]] == 3)
    #expect(samples["seqline_tenant_request_seconds_count", ["tenant": "owner"]] == 3)
    #expect(samples["seqline_tenant_request_seconds_count", ["tenant": "limited"]] == 1, "of what was let in")
    #expect(samples["seqline_tenant_response_bytes_total", ["tenant": "owner"]] ?? 0 > 300)
    #expect(samples["seqline_tenant_response_bytes_total", ["tenant": "limited"]] == Double(limitedByteCount))
  }

  @Test func newTenantsAreTakenUpAndWrongOnesAreNot() throws {
    let (server, tenants) = try server(Self.file(Self.owner))
    let folder = server.made.directory
    let get = { (name: String) in try server.get("/v1/sequences", headers: Self.bearer(name)).status }
    #expect(try get("reader") == 401)
    folder.write(Self.file(Self.reader, Self.owner), to: "tenants.json")
    try tenants.refresh()
    #expect(try get("reader") == 200)
    for wrong in ["", "{", #"{"tenants": [{}]}"#] {
      folder.write(wrong, to: "tenants.json")
      #expect(throws: TenantFileError.self) { try tenants.refresh() }
      try tenants.refresh()
      #expect(try get("reader") == 200)
    }
    folder.write(Self.file(Self.owner), to: "tenants.json")
    try tenants.refresh()
    #expect(try get("reader") == 401)
    #expect(try get("owner") == 200)
  }

  @Test func aLimitThatChangesKeepsWhatWasUsedUp() throws {
    let slow = { (rate: Double) in Self.tenant("slow", #""sequences": {"*": "*"}, "requests_per_second": \#(rate)"#) }
    let (server, tenants) = try server(Self.file(slow(0.01)))
    let get = { try server.get("/v1/sequences", headers: Self.bearer("slow")).status }
    #expect(try get() == 200)
    #expect(try get() == 429)
    server.made.directory.write(Self.file(slow(0.02)), to: "tenants.json")
    try tenants.refresh()
    #expect(try get() == 429)
    server.made.directory.write(Self.file(Self.tenant("slow", #""sequences": {"*": "*"}"#)), to: "tenants.json")
    try tenants.refresh()
    #expect(try get() == 200)
  }
}
