import Engine
import Glibc
import Serving
import Synchronization
import TestSupport
import Testing

/// HTTP/2 and TLS, as curl speaks them.
@Suite struct HTTP2Tests {
  private static let hasCurl = Tool.find("curl") != nil
  private static let hasOpenSSL = Tool.find("openssl") != nil
  /// Answers the status, the version, and then the body.
  private static let curl = "timeout 20 curl -sS -w '%{http_code} %{http_version}\\n'"

  @Test(.enabled(if: hasCurl, "curl is not installed")) func http2NeedsNoTLS() throws {
    let server = try ScriptedServer()
    let url = "http://127.0.0.1:\(server.port)"
    let curl = { (arguments: String) in try Shell.succeed("\(Self.curl) \(arguments)", in: "/") }
    #expect(try curl("--http2-prior-knowledge \(url)/a") == "GET /a 200 2\n")
    #expect(try curl("--http1.1 \(url)/a") == "GET /a 200 1.1\n")
    #expect(try curl("--http2 \(url)/a") == "GET /a 200 1.1\n", "nobody is asked to upgrade")
    #expect(try curl("--http2-prior-knowledge -d hello \(url)/b") == "POST /b hello200 2\n")
    #expect(try curl("--http2-prior-knowledge \(url)/a%zz").hasSuffix("400 2\n"))
    let large =
      "head -c 900000 /dev/zero | tr '\\0' x | \(Self.curl) --http2-prior-knowledge --data-binary @- \(url)/c | wc -c"
    #expect(try Shell.succeed(large, in: "/") == "\(900_000 + 8 + 6)\n")
    let tooLarge = "head -c 1100000 /dev/zero | \(Self.curl) --http2-prior-knowledge --data-binary @- \(url)/c"
    #expect(try Shell.run(tooLarge, in: "/").output.contains("413"))
  }

  @Test(.enabled(if: hasCurl, "curl is not installed")) func piecesTravelByHTTP2Too() throws {
    let server = try ScriptedServer { _ in
      let chunks = ScriptedChunks { $0 < 30 ? .init([UInt8](repeating: 0x61, count: 100_000)) : nil }
      return .now(HTTPAnswer(.ok, contentType: "x/y", body: .chunks(chunks)))
    }
    let command = "\(Self.curl) --http2-prior-knowledge http://127.0.0.1:\(server.port)/ | wc -c"
    #expect(try Shell.succeed(command, in: "/") == "\(3_000_000 + 6)\n")
  }

  /// Makes a key and a certificate for this machine.
  static func certify(_ name: String, in folder: String) throws {
    try Shell.succeed(
      """
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=\(name) \
      -addext subjectAltName=IP:127.0.0.1 -keyout \(name).key -out \(name).crt 2> /dev/null
      """, in: folder)
  }

  /// Whole answers and answers in pieces, in hand when the server is told to end.
  @Test(
    .enabled(if: hasCurl && hasOpenSSL, "curl or openssl is not installed"),
    arguments: [("--http2", true), ("--http1.1", true), ("--http2-prior-knowledge", false), ("--http1.1", false)])
  func whatIsInHandIsAnswered(version: String, hasTLS: Bool) throws {
    let folder = TemporaryDirectory()
    try Self.certify("now", in: folder.path)
    let begun = Atomic(0)
    let mayEnd = Atomic(false)
    let wait = { @Sendable in
      begun.add(1, ordering: .relaxed)
      while !mayEnd.load(ordering: .acquiring) { usleep(1_000) }
    }
    let server = try ScriptedServer(
      tls: hasTLS ? TLSIdentity(certificate: folder.path + "/now.crt", key: folder.path + "/now.key") : nil, threads: 4
    ) { question in
      if question.path == ["whole"] {
        return .later {
          wait()
          return HTTPAnswer(text: "whole\n")
        }
      }
      let chunks = ScriptedChunks { number in
        if number == 1 { wait() }
        return number < 3 ? .init(Array("piece\n".utf8)) : nil
      }
      return .now(HTTPAnswer(.ok, contentType: "text/plain", body: .chunks(chunks)))
    }
    let url = "\(hasTLS ? "https" : "http")://127.0.0.1:\(server.port)"
    let answers = Mutex<[String: String]>([:])
    let clients = ["whole", "pieces"].map { path in
      startThread {
        let command = "\(Self.curl) --cacert now.crt \(version) \(url)/\(path)"
        let answer = (try? Shell.run(command, in: folder.path).output) ?? "no curl"
        answers.withLock { $0[path] = answer }
      }
    }
    #expect(eventually { begun.load(ordering: .relaxed) == 2 })
    let end = startThread { server.end() }
    #expect(eventually { (try? HTTPClient(port: server.port)) == nil }, "it listens no more")
    mayEnd.store(true, ordering: .releasing)
    for client in clients + [end] { pthread_join(client, nil) }
    let number = version == "--http1.1" ? "1.1" : "2"
    #expect(answers.withLock { $0["whole"] } == "whole\n200 \(number)\n")
    #expect(answers.withLock { $0["pieces"] } == "piece\npiece\npiece\n200 \(number)\n")
  }

  @Test(.enabled(if: hasCurl && hasOpenSSL, "curl or openssl is not installed"))
  func aCertificateIsShownAndExchanged() throws {
    let made = try ServedStore(100)
    let folder = made.directory.path
    try Self.certify("first", in: folder)
    try Self.certify("second", in: folder)
    try Shell.succeed("cp first.crt now.crt && cp first.key now.key", in: folder)
    let server = try RunningServer(
      ["--store", made.store.path, "--tls-cert", "now.crt", "--tls-key", "now.key"], in: folder)
    let url = "https://127.0.0.1:\(server.port)/v1/sequences/all/users/1?until=2026-11-22T00:00:00Z"
    let get = { (certificate: String, more: String) in
      try Shell.run("\(Self.curl) --cacert \(certificate).crt \(more) '\(url)'", in: folder)
    }
    #expect(try get("first", "").lines.last == "200 2")
    #expect(try get("first", "--http1.1").lines.last == "200 1.1")
    // One connection, and streams beside each other.
    let many = (0..<50).map { "https://127.0.0.1:\(server.port)/v1/sequences/\($0)" }.joined(separator: " ")
    let answers = try Shell.run("\(Self.curl) --cacert first.crt -Z \(many)", in: folder)
    #expect(answers.output.split(separator: "404 2").count >= 50, "\(answers)")
    #expect(try get("first", "--tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0").status != .exited(0))
    #expect(try get("second", "").status != .exited(0))
    let plain = try Shell.run("timeout 20 curl -sS \(url.replacing("https", with: "http"))", in: folder)
    #expect(plain.status != .exited(0))
    try Shell.succeed("cp second.key now.key && cp second.crt now.crt", in: folder)
    #expect(try eventually { try get("second", "").lines.last == "200 2" })
    try Shell.succeed("echo nothing > now.crt", in: folder)
    #expect(eventually { server.messages.contains("no certificate with its key") })
    #expect(try get("second", "").lines.last == "200 2")
    #expect(server.stop() == 0)
  }
}
