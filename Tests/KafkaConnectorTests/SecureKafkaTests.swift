import Glibc
import TestSupport
import Testing

/// TLS and SASL, as `--kafka-option` sets them, against the mock brokers behind a proxy that demands both.
@Suite(.serialized, .enabled(if: Tool.find("openssl") != nil, "no openssl")) struct SecureKafkaTests {
  static let proxy = SharedData.packageRoot + "/Tests/KafkaConnectorTests/fixtures/tls_proxy.py"

  let directory = TemporaryDirectory()
  let cluster: MockCluster

  init() throws {
    cluster = try MockCluster()
    directory.write(ExactlyOnceTests.source, to: "definitions.py")
    try Shell.succeed(
      """
      seq-config compile definitions.py -o definitions.json
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout key.pem -out certificate.pem 2>/dev/null
      printf '# Who we are\\nsasl.mechanism=PLAIN\\nsasl.username = anna\\nsasl.password = s3cret\\n' > secret
      """, in: directory.path)
    cluster.create("events", partitions: 2)
    for id in 0..<100 {
      let text = #"{"user":\#(id % 7),"ts":\#(1_700_000_000_000 + id),"id":"e\#(id)"}"#
      cluster.produce(text, to: "events", partition: Int32(id % 2))
    }
    cluster.flush()
  }

  /// Runs a script beside a proxy, whose addresses are in `$PROXY`; `said` is what the proxy told.
  func run(_ script: String, proxy arguments: String = "") throws -> (result: ShellResult, said: String) {
    let result = try Shell.run(
      """
      mkfifo in out
      python3 \(Self.proxy) $BROKERS certificate.pem key.pem \(arguments) < in > out &
      exec 3> in 4< out; read -u 4 PROXY; export PROXY
      (\(script)); status=$?
      exec 3>&-; cat <&4 > said; wait
      exit $status
      """, in: directory.path,
      environment: ["SEQ_DEFINITIONS": directory.path + "/definitions.json", "BROKERS": cluster.brokers])
    return (result, String(decoding: SharedData.contents(of: directory.path + "/said") ?? [], as: UTF8.self))
  }

  let ingest = "seq-ingest --kafka $PROXY --topic events --until now --format ndjson --columns id"

  @Test func aTopicIsReadThroughTLS() throws {
    let (result, said) = try run(
      "\(ingest) --kafka-option security.protocol=ssl --kafka-option ssl.ca.location=certificate.pem")
    #expect(
      result.hasSucceeded && Set(result.lines).count == 100 && !said.contains("no handshake"), "\(result) \(said)")
  }

  @Test func anUnknownCertificateIsRefused() throws {
    let (result, said) = try run("\(ingest) --kafka-option security.protocol=ssl")
    #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains("certificate verify failed"), "\(result)")
    #expect(said.contains("no handshake"))
  }

  @Test func aUserIsAuthenticatedBehindTLS() throws {
    let flags = "--kafka-option security.protocol=sasl_ssl --kafka-option ssl.ca.location=certificate.pem"
    let (result, said) = try run("\(ingest) \(flags) --kafka-option @secret", proxy: "anna:s3cret")
    #expect(result.hasSucceeded && Set(result.lines).count == 100, "\(result) \(said)")
    #expect(said.contains("authenticated") && !said.contains("refused"))
    let other = try run("\(ingest) \(flags) --kafka-option @secret", proxy: "anna:other")
    #expect(other.result.status == .exited(2) && other.said.contains("refused"), "\(other)")
  }
}
