import ArgumentParser
import CommandSupport

@main
struct SeqStore: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-store",
    abstract: "Look into a store, and keep it in shape.",
    discussion: """
      A stored dataset can go through a pipeline again:

        seq-store cat engagements --store store --days 2026-11-20 \\
          | seq-enrich | seq-index --store store --replace 2026-11-20

      A line for cron, beside all that writes and reads:

        17 * * * *  seq-store upkeep --store store
      """,
    // A subcommand's --version takes a number: the flag that shows the program's is there where it stands alone.
    version: CommandLine.arguments.count == 2 ? seqlineVersion : "",
    subcommands: [
      Cat.self, Stat.self, Verify.self, Compact.self, Retain.self, Vacuum.self, Profile.self, Upkeep.self,
    ])
}
