import Glibc
import TestSupport

/// What the command tests share.
enum Fixtures {
  static let directory = SharedData.packageRoot + "/Tests/CommandTests/fixtures"
  static let casesDirectory = SharedData.packageRoot + "/Tests/CommandTests/cases"
  static let isRecording = environment("SEQLINE_RECORD") == "1"

  private static let folder = TemporaryDirectory()

  /// The compiled `fixtures/shop.py`.
  static func shopDefinitions() throws -> String { try shop.get() }

  private static let shop = Result { try compile(directory + "/shop.py", name: "shop.json") }

  /// Runs a script with `FIXTURES`, `SEQ_DEFINITIONS` (the shop's) and what `environment` says.
  static func run(_ script: String, in folder: String, environment: [String: String] = [:]) throws -> ShellResult {
    let variables = ["FIXTURES": directory, "SEQ_DEFINITIONS": try shopDefinitions()]
    return try Shell.run(script, in: folder, environment: variables.merging(environment) { $1 })
  }

  /// Compiles definitions into a file that lives as long as the tests.
  static func compile(_ file: String, name: String) throws -> String {
    let result = try Shell.run("seq-config compile '\(file)' -o '\(folder.path)/\(name)'", in: folder.path)
    guard result.hasSucceeded else { throw ProgramFailure(description: "\(file): \(result.errors)") }
    return "\(folder.path)/\(name)"
  }

  static func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

  static func remove(_ path: String) { unsafe unlink(path) }

  static func write(_ text: String, to path: String) {
    guard let file = unsafe fopen(path, "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
  }
}
