/// What a script did.
public struct ShellResult: Sendable, CustomStringConvertible {
  public var status: ProcessEnd
  public var output: String
  public var errors: String

  public var hasSucceeded: Bool { status == .exited(0) }

  /// The lines of standard output.
  public var lines: [String] { output.split(separator: "\n").map(String.init) }

  public var description: String { "\(status)\n\(output)\n\(errors)" }
}

/// Runs scripts as a user types them.
public enum Shell {
  /// Runs `script` in Bash, with the commands in `PATH` and the status of a pipeline that of its last stage that failed.
  ///
  /// - Parameter seconds: the script is killed when it takes longer.
  public static func run(
    _ script: String, in directory: String, environment: [String: String] = [:], seconds: Double = 900
  ) throws -> ShellResult {
    let folder = TemporaryDirectory()
    let out = "\(folder.path)/out"
    let chain = try ProcessChain(
      [["bash", "-o", "pipefail", "-c", "cd \"$0\" || exit 99\n" + script, directory]], output: out,
      environment: environment)
    let process = chain.wait(seconds: seconds)[0]
    return ShellResult(
      status: process.end, output: String(decoding: SharedData.contents(of: out) ?? [], as: UTF8.self),
      errors: process.errors)
  }

  /// Runs a script that has to succeed; answers its standard output.
  /// - Throws: `ProgramFailure` with its standard error when it ends with another code than 0.
  @discardableResult public static func succeed(
    _ script: String, in directory: String, environment: [String: String] = [:]
  ) throws -> String {
    let result = try run(script, in: directory, environment: environment)
    guard result.hasSucceeded else { throw ProgramFailure(description: "\(script)\n\(result)") }
    return result.output
  }
}

extension TemporaryDirectory {
  /// Runs a script in the directory that has to succeed, over its `definitions.json` and a store in it; answers its
  /// standard output.
  ///
  /// - Parameters:
  ///   - store: the store's name in the directory.
  ///   - variables: more of the environment.
  /// - Throws: as `Shell.succeed` does.
  @discardableResult public func runStages(
    _ script: String, store: String = "store", adding variables: [String: String] = [:]
  ) throws -> String {
    let own = [
      "SEQ_DEFINITIONS": "\(path)/definitions.json", "SEQ_STORE": "\(path)/\(store)",
      "SEQLINE_PYTHONPATH": SharedData.packageRoot + "/python",
    ]
    return try Shell.succeed(script, in: path, environment: own.merging(variables) { $1 })
  }
}
