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

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp("The compiled definitions (or $SEQ_DEFINITIONS; default: the store's).", valueName: "file"))
  var definitions: String?

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 picks a free one.")
  var port = 8080

  @Option(help: "Threads that answer (default: one per processor).")
  var threads: Int?

  @Option(help: ArgumentHelp("Keep decoded pages in so much memory; 0 keeps none.", valueName: "size"))
  var cache = ByteCount(256 << 20)

  func validate() throws {
    if !(0...65_535).contains(port) { throw ValidationError("--port \(port) is outside 0...65535") }
    if let threads, threads < 1 { throw ValidationError("--threads \(threads) is not above 0") }
  }

  func execute() throws -> Outcome {
    let directory = StoreDirectory(try store.path())
    let origin = (definitions ?? environment("SEQ_DEFINITIONS")).map { DefinitionsOrigin.file($0) } ?? .store(directory)
    let report: @Sendable (any Error) -> Void = { standardError.line("seq-serve: \($0)") }
    let termination = Termination()
    let api = try SequenceAPI(definitions: origin, store: directory, cacheByteCount: cache.bytes, report: report)
    let server = try HTTPServer(host: host, port: port, threads: threads ?? processorCount) { api.answer($0) }
    standardError.line("seq-serve: listening on http://\(host):\(server.port)/v1/sequences")
    let upkeep = try api.startUpkeep(report: report)
    termination.then { server.stop() }
    try server.wait()
    upkeep.stop()
    return .done
  }
}
