import ArgumentParser
import CommandSupport
import Engine
import SequenceStore

/// The flags of files that grow.
struct FollowFlags: ParsableArguments {
  @Flag(help: "Go on as the files grow, rotate or appear; names may be globs, in quotes.")
  var follow = false

  @Flag(help: "With --follow: begin at the end of the files that are there.")
  var fromEnd = false

  @Option(help: ArgumentHelp("Begin where this store is; what it has is not read again.", valueName: "store"))
  var resume: String?

  /// Whether files are read with positions.
  var isOn: Bool { follow || resume != nil }

  func validate() throws {
    if fromEnd, !follow { throw ValidationError("--from-end goes with --follow") }
    if fromEnd, resume != nil { throw ValidationError("--from-end and --resume cannot be given together; choose one") }
  }

  /// The files, from where the flags say.
  func source(_ options: StageOptions) throws -> FollowSource {
    let inputs = options.inputs
    if options.isCSV || inputs.contains(where: CSVStream.isNamed) {
      throw ValidationError("\(follow ? "--follow" : "--resume"): CSV is read whole; give its files without the flag")
    }
    guard !inputs.contains("-") else {
      throw ValidationError("\(follow ? "--follow" : "--resume"): name the files; a pipe has no place to go on from")
    }
    var options = FollowSource.Options()
    options.fromEnd = fromEnd
    options.waits = follow
    return try FollowSource(inputs, options: options, positions: try resume.map(positions)) {
      standardError.line("seq-ingest: \($0)")
    }
  }

  /// How far the store has each source, as of now; nil without `--resume`.
  var positions: (() throws -> SourcePositionLookup)? {
    resume.map { store in { try positions(of: store) } }
  }

  private func positions(of store: String) throws -> SourcePositionLookup {
    let positions = try SourcePositions(StoreDirectory(store))
    return SourcePositionLookup { positions[$0, $1] }
  }
}
