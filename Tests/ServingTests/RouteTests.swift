import JSONText
import TestSupport
import Testing

@Suite struct RouteTests {
  @Test func theRoutesAnswer() throws {
    let server = try TestServer(ServedStore(500))
    let list = try server.get("/v1/sequences")
    #expect(list.json["sequences"]?.array?.map { $0["name"] } == ["all", "saves"])
    let contract = try server.get("/v1/sequences/all").json
    #expect(contract["owner"] == "team" && contract["stage"] == "production" && contract["max_length"] == 40)
    #expect(contract["caps"] == ["click": 10] && contract["window_seconds"] == 345_600)
    #expect(
      contract["event_types"] == ["click", "save", "view"] && contract["promised"]?["freshness_seconds"]?.double == 1)
    #expect(contract["promised"]?["completeness"]?["after_seconds"] == 86_400)
    let measured = try #require(contract["measured"])
    #expect(Set(measured["freshness"]?.object?.keys.map { $0 } ?? []) == ["click", "save", "view"])
    #expect(measured["freshness"]?["click"]?["lag"]?.double ?? -1 >= 0)
    #expect(measured["completeness"]?["events"]?["days"] == "all")
    #expect(try server.get("/v1/sequences/all@1").json["name"] == "all")
    let columns = contract["columns"]?.array ?? []
    #expect(columns.first == ["name": "ts", "type": "timestamp[us, UTC]"] && columns.count == 7)
    #expect(contract["tables"]?["events"]?.integer ?? -1 >= 0)
    #expect(try server.get("/healthz").text == "ok\n")
    #expect(try server.get("/readyz").text == "ready\n")
  }

  static let refused: [(target: String, status: Int, says: String)] = [
    ("/nothing", 404, "/v1/sequences"), ("/v1", 404, "/v1/sequences"), ("/v1/sequences/all/users", 404, "nothing at"),
    ("/v1/sequences/all/users/1/events", 404, "nothing at"), ("/v1/sequences/nope", 404, "no sequence 'nope'"),
    ("/v1/sequences/nope/users/1", 404, "no sequence 'nope'"), ("/v1/sequences/all/users/anna", 400, "'anna'"),
    ("/v1/sequences/all/users/1.5", 400, "'1.5'"), ("/v1/sequences/all/users/9223372036854775808", 400, "is no int64"),
    ("/v1/sequences/all/users/1?limit=3", 400, "no parameter 'limit'; use"),
    ("/v1/sequences/all/users/1?last=0", 400, "last '0'"), ("/v1/sequences/all/users/1?last=-1", 400, "last '-1'"),
    ("/v1/sequences/all/users/1?last=99999999999999999999", 400, "last"),
    ("/v1/sequences/all/users/1?last=", 400, "last ''"), ("/v1/sequences/all/users/1?last", 400, "last ''"),
    ("/v1/sequences/all/users/1?window=3", 400, "window '3'"), ("/v1/sequences/all/users/1?window=0d", 400, "window"),
    ("/v1/sequences/all/users/1?window=99999999999999d", 400, "window"),
    ("/v1/sequences/all/users/1?until=yesterday", 400, "until 'yesterday'"),
    ("/v1/sequences/all/users/1?until=2026-13-01T00:00:00Z", 400, "until"),
    ("/v1/sequences/all/users/1?until=999999999-01-01T00:00:00Z", 400, "until"),
    ("/v1/sequences/all/users/1?until=2026-01-01T00:00:00%2B999999999:00", 400, "until"),
    ("/v1/sequences/all/users/1?columns=ts,dwell", 400, "no column 'dwell'; it has ts, event_type"),
    ("/v1/sequences/all/users/1?columns=", 400, "no column ''"),
    ("/v1/sequences/all/users/1?columns=ts,ts", 400, "'ts' twice"),
    ("/v1/sequences/all/users/1?timestamps=ns", 400, "timestamps 'ns'"),
    ("/v1/sequences/all/users/1?layout=table", 400, "layout 'table'"),
    ("/v1/sequences/all/users/1?since=yesterday", 400, "since 'yesterday'"),
    ("/v1/sequences/all/users/1?known_at=x", 400, "known_at 'x' is neither RFC 3339"),
    ("/v1/sequences/all/users/1?types=click,buy", 400, "no event type 'buy'; it has click, save, view"),
    ("/v1/sequences/all/users/1?types=", 400, "no event type ''"),
    ("/v1/sequences/all/users/1?types=click,click", 400, "types names 'click' twice"),
    ("/v1/sequences/all/users/1?caps=click", 400, "caps 'click' is no list such as click:5"),
    ("/v1/sequences/all/users/1?caps=click:0", 400, "caps 'click:0'"),
    ("/v1/sequences/all/users/1?caps=5", 400, "a number without a name"),
    ("/v1/sequences/all/users/1?caps=click:1,click:2", 400, "caps names 'click' twice"),
    ("/v1/sequences/all/users/1?caps=buy:1", 400, "no event type 'buy'"),
    ("/v1/sequences/all/users/1?order=up", 400, "order 'up' is neither oldest nor newest"),
    ("/v1/sequences/all/users/1?version=one", 400, "version 'one' is no version such as 1 or all@1"),
    ("/v1/sequences/all/users/1?version=saves@1", 400, "version 'saves@1'"),
    ("/v1/sequences/all/users/1?version=2", 409, "'all' is served in version 1, not 2"),
    ("/v1/sequences/all/users/1?version=all@3", 409, "not 3"),
    ("/v1/sequences/all@2/users/1", 409, "not 2"), ("/v1/sequences/all@2", 409, "not 2"),
    ("/v1/sequences/nope@1", 404, "no sequence 'nope'"), ("/v1/sequences/all@x", 404, "no sequence 'all@x'"),
    ("/v1/sequences/all/users/1?min_freshness=soon", 400, "min_freshness 'soon' is no duration"),
    ("/v1/sequences/all/users/1?min_coverage=2", 400, "min_coverage '2' is no share"),
    ("/v1/sequences/all/users/1?min_coverage=nan", 400, "min_coverage 'nan' is no share"),
    ("/v1/sequences/all/users/1?min_coverage=item:0.5", 400, "no look-up 'item'; it has none"),
    ("/v1/sequences/all/users/1?degrade=yes", 400, "degrade 'yes' is neither 0 nor 1"),
    ("/v1/sequences/all/users/%zz", 400, "malformed"), ("/v1/sequences/all/users/%4", 400, "malformed"),
    ("/v1/sequences/all/users/%FF", 400, "malformed"), ("/v1/sequences/all/users/1?last=%", 400, "malformed"),
  ]

  @Test func whatIsWrongIsSaid() throws {
    let server = try TestServer(ServedStore(100))
    let client = try server.client()
    for (target, status, says) in Self.refused {
      let answer = try client.get(target)
      #expect(answer.status == status, "\(target)")
      #expect(answer.headers["content-type"] == "application/json")
      #expect(answer.json["status"]?.integer == Int64(status), "\(target)")
      #expect(answer.json["error"]?.string?.contains(says) == true, "\(target): \(answer.text)")
    }
  }

  /// What was understood once is known again by all that was said, and by nothing else.
  @Test func requestsThatReadAlikeAreToldApart() throws {
    let server = try TestServer(ServedStore(500))
    let client = try server.client()
    let user = "users/1?until=2026-11-22T00:00:00Z"
    for _ in 0..<2 {
      #expect(try client.get("/v1/sequences/all/\(user)&last=5").json["count"] == 5)
      #expect(try client.get("/v1/sequences/all%26last=5/\(user)").status == 404)
      #expect(try client.get("/v1/sequences/all/\(user)&last=5&last=3").json["count"] == 3)
      #expect(try client.get("/v1/sequences/all/\(user)&last=%36").json["count"] == 6)
      #expect(try client.get("/v1/sequences/all/\(user)&last=5&un%74il=2026-11-18T00:00:00Z").json["count"] == 0)
      #expect(try client.get("/v1/sequences/all@1/\(user)&last=5").json["count"] == 5)
      #expect(try client.get("/v1/sequences/all@2/\(user)&last=5").status == 409)
      #expect(try client.get("/v1/sequences/saves/\(user)&last=5").json["sequence"] == "saves")
    }
  }

  /// Numbers at the ends of their ranges are answered, not computed with past them.
  @Test func anyNumberIsAnswered() throws {
    let server = try TestServer(ServedStore(100))
    let client = try server.client()
    for query in Self.extremes {
      let answer = try client.get("/v1/sequences/saves/users/0?\(query)")
      #expect(answer.status == 200 || (answer.status == 400 && answer.json["error"] != nil), "\(query): \(answer.text)")
    }
  }

  private static let extremes = [
    "until=\(Int64.max)", "until=\(Int64.min)", "until=9223372036854775", "until=-9223372036854775&window=106751991d",
    "until=0&window=106751991d", "window=106751991d", "last=9223372036854775807", "until=0001-01-01T00:00:00Z",
    "until=9999-12-31T23:59:59.999999Z&window=1s",
    "since=9223372036854775", "since=-9223372036854775&until=-9223372036854775", "known_at=-9223372036854775",
    "caps=save:9223372036854775807", "min_freshness=106751991d", "min_coverage=1e-300", "last=%31&columns=t%73",
    "&&last=3&", "last=5&last=3",
  ]

  @Test func methodsOtherThanGetAndHeadAreRefused() throws {
    let client = try TestServer(ServedStore(100)).client()
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
      client.send("\(method) /v1/sequences HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
      let answer = try client.receive()
      #expect(answer?.status == 405 && answer?.headers["allow"] == "GET, HEAD")
    }
  }

  @Test func headIsGetWithoutTheBody() throws {
    let server = try TestServer(ServedStore(500))
    let client = try server.client()
    for target in ["/v1/sequences/all", "/v1/sequences/all/users/0?until=2026-11-20T00:00:00Z", "/nothing"] {
      let full = try client.get(target)
      client.send("HEAD \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = try client.receive(hasBody: false)
      #expect(head?.status == full.status && head?.headers["content-length"] == "\(full.body.count)")
      #expect(head?.headers["content-type"] == full.headers["content-type"] && head?.body == [])
    }
    #expect(try client.get("/healthz").text == "ok\n")
  }

  @Test func metricsAreInThePrometheusFormat() throws {
    let server = try TestServer(ServedStore(500))
    let client = try server.client()
    for _ in 0..<7 { _ = try client.get("/v1/sequences/all/users/1") }
    for _ in 0..<2 { _ = try client.get("/v1/sequences/all/users/x") }
    let answer = try client.get("/metrics")
    #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    var samples: [String: Double] = [:]
    var types: [String: String] = [:]
    for line in answer.text.split(separator: "\n") {
      if let type = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
        #expect(types.updateValue("\(type.2)", forKey: "\(type.1)") == nil)
      } else if let sample = line.wholeMatch(of: /([a-z_]+(?:\{(?:[a-z_]+="[^"]*",?)*\})?) ([0-9.eE+-]+)/) {
        #expect(samples.updateValue(Double(sample.2)!, forKey: "\(sample.1)") == nil)
        let name = sample.1.prefix { $0 != "{" }.replacing(/_(bucket|sum|count)$/, with: "")
        #expect(types[String(name)] != nil, "\(line)")
      } else {
        #expect(line.wholeMatch(of: /# HELP [a-z_]+ .+/) != nil, "\(line)")
      }
    }
    let route = #"route="/v1/sequences/{sequence}/users/{user}",status="#
    #expect(samples[#"seqline_request_seconds_count{\#(route)"200"}"#] == 7)
    #expect(samples[#"seqline_request_seconds_bucket{\#(route)"200",le="+Inf"}"#] == 7)
    #expect(samples[#"seqline_request_seconds_count{\#(route)"400"}"#] == 2)
    #expect(samples[#"seqline_response_bytes_total{\#(route)"200"}"#] ?? 0 > 700)
    #expect(samples[#"seqline_table_version{dataset="events"}"#] ?? -1 >= 0)
  }
}
