import ArgumentParser
import CommandSupport
import SequenceStore

/// The flags of what merges files.
struct CompactionFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Merge a month's days so long after its end.", valueName: "duration"))
  var monthsAfter = TimeSpan(days: 35)

  @Option(name: .customLong("parquet-level"), help: "zstd level of the Parquet files.")
  var parquetLevel = 3

  func validate() throws {
    if !(1...22).contains(parquetLevel) { throw ValidationError("--parquet-level \(parquetLevel) is outside 1...22") }
  }

  func options(isFull: Bool) -> Compaction.Options {
    var options = Compaction.Options()
    options.isFull = isFull
    options.monthsAfterDays = Int32(clamping: monthsAfter.micros / TimeSpan(days: 1).micros)
    options.files.level = parquetLevel
    return options
  }
}
