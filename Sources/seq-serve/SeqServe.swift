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
      Serves what is in the store and moves on with its tables.

        seq-serve --store store --port 8080 &
        curl localhost:8080/v1/sequences/home_feed/users/42?last=10
      """,
    version: seqlineVersion)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The compiled definitions (default: those the store was made with).", valueName: "file"))
  var definitions: String?

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 picks a free one.")
  var port = 8080

  @Option(help: "Threads that answer (default: one per processor).")
  var threads: Int?

  func validate() throws {
    if !(0...65_535).contains(port) { throw ValidationError("--port \(port) is outside 0...65535") }
    if let threads, threads < 1 { throw ValidationError("--threads \(threads) is not above 0") }
  }

  func execute() throws -> Outcome {
    let directory = StoreDirectory(try store.path())
    let definitions = try definitions.map { try DefinitionSet.load($0) } ?? directory.currentDefinitions()
    let api = try SequenceAPI(definitions: definitions, store: directory)
    let termination = Termination()
    let server = try HTTPServer(host: host, port: port, threads: threads ?? processorCount) { api.answer($0) }
    standardError.line("seq-serve: listening on http://\(host):\(server.port)/v1/sequences")
    let upkeep = Upkeep {
      standardError.line("seq-serve: \($0)")
    } refresh: {
      try api.refresh()
    }
    termination.then { server.stop() }
    try server.wait()
    upkeep.stop()
    return .done
  }
}
