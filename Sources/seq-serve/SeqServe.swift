import ArgumentParser
import CommandSupport
import Definitions
import Engine
import SequenceStore
import Serving

@main
struct SeqServe: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-serve",
    abstract: "Answer \"sequence X for user U\" over HTTP.",
    discussion: """
      Serves the store's tables and what its live log has beyond them, and
      follows both; newer definitions are taken up without a restart.

        seq-serve --store store --port 8080 &
        curl localhost:8080/v1/sequences/home_feed/users/42?last=10
      """,
    version: seqlineVersion)

  static let threadsShareMemory = false

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp("The compiled definitions (or $SEQ_DEFINITIONS; default: the store's).", valueName: "file"))
  var definitions: String?

  @Option(
    help: ArgumentHelp(
      "Where the tables are that sequences look up when they are read; followed, too.", valueName: "dir"))
  var tables: String?

  @OptionGroup var listening: ListeningOptions

  @OptionGroup var limits: LimitOptions

  @Option(help: ArgumentHelp("Keep decoded pages in so much memory; 0 keeps none.", valueName: "size"))
  var cache = ByteCount(256 << 20)

  @Option(help: ArgumentHelp("Keep data files' footers and page indexes in so much memory.", valueName: "size"))
  var indexes = ByteCount(StoreSnapshot.defaultIndexByteLimit)

  func execute() throws -> Outcome {
    takeShortTurns()
    DescriptorLimit.raise()
    let address = try listening.address()
    let tls = try listening.tlsIdentity()
    let tenants = try listening.tenants.map { try TenantDirectory(file: $0) }
    let directory = StoreDirectory(try store.path())
    let origin = (definitions ?? environment("SEQ_DEFINITIONS")).map { DefinitionsOrigin.file($0) } ?? .store(directory)
    let report: @Sendable (any Error) -> Void = { standardError.line("seq-serve: \($0)") }
    let (termination, reload) = (Termination(), ReloadRequest())
    let api = try SequenceAPI(
      definitions: origin, tables: tables, store: directory, cacheByteCount: cache.bytes,
      indexByteCount: indexes.bytes, report: report)
    let server = try HTTPServer(
      address, tls: tls, threads: limits.threads ?? processorCount, limits: limits.limits,
      gate: Gate(tenants: tenants), metrics: api.metrics
    ) { api.answer($0) }
    let scheme = tls == nil ? "http" : "https"
    standardError.line("seq-serve: listening on \(scheme)://\(listening.host):\(server.port)/v1/sequences")
    let upkeep = try api.startUpkeep(
      watching: (tenants.map { [$0.watchedDirectory] } ?? []) + (tls?.watchedDirectories ?? []),
      [{ try tenants?.refresh() }, { try tls?.refresh() }], report: report)
    reload.then {
      tenants?.forget()
      tls?.forget()
      api.forgetDefinitions()
      upkeep.forgetFailures()
      upkeep.run()
      standardError.line("seq-serve: definitions, tables, tenants and certificates were read again")
    }
    termination.then { server.stop() }
    try server.wait()
    upkeep.stop()
    return .done
  }
}

/// Where the server listens, and to whom.
struct ListeningOptions: ParsableArguments {
  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 picks a free one.")
  var port = 8080

  @Option(help: ArgumentHelp("Who may read what, as JSON; followed.", valueName: "file"))
  var tenants: String?

  @Flag(help: "Let everybody read everything, from other machines, too.")
  var open = false

  @Option(help: ArgumentHelp("Speak TLS with this certificate chain in PEM; followed.", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("The certificate's private key in PEM.", valueName: "file"))
  var tlsKey: String?

  func validate() throws {
    if !(0...65_535).contains(port) { throw ValidationError("--port \(port) is outside 0...65535") }
    if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("--tls-cert and --tls-key go together") }
    if open, tenants != nil { throw ValidationError("--open and --tenants exclude each other") }
  }

  /// - Throws: when others could reach it and nothing says whom to let in.
  func address() throws -> HTTPAddress {
    let address = try HTTPAddress(host: host, port: port)
    guard address.isLoopback || tenants != nil || open else {
      throw ListenError(
        address: "\(address)", reason: "other machines can reach it, and nothing says who may read",
        remedy: "give --tenants FILE, or --open to let everybody read everything")
    }
    return address
  }

  func tlsIdentity() throws -> TLSIdentity? {
    guard let tlsCert, let tlsKey else { return nil }
    return try TLSIdentity(certificate: tlsCert, key: tlsKey)
  }
}

/// How much the server does at once, and how much it puts up with.
struct LimitOptions: ParsableArguments {
  @Option(help: "Threads that answer, and as many for what takes long (default: one per processor).")
  var threads: Int?

  @Option(help: ArgumentHelp("Connections that may be open.", valueName: "count"))
  var maxConnections = 10_000

  @Option(help: ArgumentHelp("The largest body of a request.", valueName: "bytes"))
  var maxBody = ByteCount(1 << 20)

  @Option(help: ArgumentHelp("How long a client may be silent, or take for a request.", valueName: "time"))
  var idleTimeout = TimeSpan(micros: 60_000_000)

  @Option(help: ArgumentHelp("How long requests may take that are in hand when it ends.", valueName: "time"))
  var drainTimeout = TimeSpan(micros: 10_000_000)

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads \(threads) is not above 0") }
    if maxConnections < 1 { throw ValidationError("--max-connections \(maxConnections) is not above 0") }
    if idleTimeout.micros < 1_000 { throw ValidationError("--idle-timeout is below 1ms") }
  }

  var limits: HTTPLimits {
    var limits = HTTPLimits()
    limits.connectionCount = maxConnections
    limits.bodyByteCount = maxBody.bytes
    limits.idleSeconds = min(idleTimeout.seconds, 1e9)
    limits.drainSeconds = min(drainTimeout.seconds, 1e9)
    return limits
  }
}
