import Engine
import Glibc
import Serving
import Synchronization
import TestSupport
import Testing

/// How a server ends.
@Suite struct DrainTests {
  @Test func whatIsInHandIsAnsweredAndIdleConnectionsGo() throws {
    let begun = Atomic(0)
    let mayEnd = Atomic(false)
    let server = try ScriptedServer { _ in
      .later {
        begun.add(1, ordering: .relaxed)
        while !mayEnd.load(ordering: .acquiring) { usleep(1_000) }
        return HTTPAnswer(text: "done\n")
      }
    }
    let (idle, busy) = (try server.client(), try server.client())
    busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(eventually { begun.load(ordering: .relaxed) == 1 })
    let end = startThread { server.end() }
    #expect(try idle.receive() == nil, "an idle connection is closed")
    #expect(throws: ProgramFailure.self) { try HTTPClient(port: server.port) }
    mayEnd.store(true, ordering: .releasing)
    let answer = try busy.receive()
    #expect(answer?.text == "done\n" && answer?.headers["connection"] == "close")
    #expect(try busy.receive() == nil)
    pthread_join(end, nil)
  }

  @Test func whatTakesTooLongIsGivenUp() throws {
    var limits = HTTPLimits()
    limits.drainSeconds = 0.2
    let mayEnd = Atomic(false)
    let server = try ScriptedServer(limits: limits) { _ in
      .later {
        while !mayEnd.load(ordering: .acquiring) { usleep(1_000) }
        return HTTPAnswer(text: "late\n")
      }
    }
    let client = try server.client()
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    usleep(50_000)
    let end = startThread { server.end() }
    #expect(try client.receive() == nil)
    mayEnd.store(true, ordering: .releasing)
    pthread_join(end, nil)
  }

  @Test func aHangUpReadsEverythingAgainAndGoesOn() throws {
    let made = try ServedStore(100)
    let server = try RunningServer(["--store", made.store.path], in: made.directory.path)
    let client = try HTTPClient(port: server.port)
    #expect(try client.get("/v1/sequences").status == 200)
    for count in 1...2 {
      server.send(SIGHUP)
      #expect(eventually { server.messages.split(separator: "\n").count { $0.contains("read again") } == count })
    }
    #expect(try client.get("/v1/sequences").status == 200)
    made.directory.write("{", to: "store/definitions/broken.json")
    try made.run("echo broken.json > store/new && mv store/new store/definitions/CURRENT")
    #expect(eventually { server.messages.contains("broken.json") })
    server.send(SIGHUP)
    #expect(eventually { server.messages.split(separator: "\n").count { $0.contains("broken.json") } == 2 })
    #expect(try client.get("/v1/sequences").status == 200)
    #expect(server.stop() == 0)
  }
}
