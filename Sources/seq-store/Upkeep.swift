import ArgumentParser
import CommandSupport
import SequenceStore

struct Upkeep: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Do what is due: roll idle live logs, retain, compact, profile, vacuum; for cron.",
    discussion: """
      Files are merged as it is worth it, so it can run often.

        17 * * * *  seq-store upkeep --store store
      """)

  @OptionGroup var choice: DatasetChoice
  @OptionGroup var compaction: CompactionFlags

  @Option(help: ArgumentHelp("How long a file is kept after its last use.", valueName: "duration"))
  var grace = TimeSpan(days: 7)

  @Option(help: ArgumentHelp("Compiled definitions (default: the store's own).", valueName: "file"))
  var definitions: String?

  func execute() throws -> Outcome {
    let directory = try choice.directory()
    let definitions = try directory.definitions(at: definitions)
    let retention = Retention(directory, definitions: definitions)
    let compaction = Compaction(directory, definitions: definitions, compaction.options(isFull: false))
    for shard in try directory.liveShards() {
      let run = LiveRun(directory, definitions: definitions, shard: shard, options: LiveRun.Options())
      if let rolled = try run.settle() {
        print("roll live/\(shard): \(rolled.datasets.values.reduce(0) { $0 + $1.rows }) rows")
      }
    }
    let names = try choice.names(in: directory)
    for name in names {
      try retention.run(name) { print($0) }
      try compaction.run(name) { print($0) }
    }
    for anomaly in try StoreProfiler(directory, definitions: definitions).run(names, { print($0) }).new {
      print(anomaly)
    }
    try FileVacuum(directory, graceMillis: grace.micros / 1_000).run { print($0) }
    return .done
  }
}
