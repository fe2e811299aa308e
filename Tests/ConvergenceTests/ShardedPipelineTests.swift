import SequenceStore
import TestSupport
import Testing

/// The commands themselves with a writer for each of eight shards.
@Suite struct ShardedPipelineTests {
  /// One stream, its frames dealt by `seq-filter --shards` or not, to eight writers at once; some days replaced and all
  /// compacted: the same rows as by one batch run over a store of one shard, each under its shard.
  @Test(arguments: ["", "--shards"]) func eightWritersShareAStream(routing: String) throws {
    let folder = TemporaryDirectory()
    var random = SeededRandom(seed: 8)
    var variant = LogVariant()
    let log = RandomLog(variant, eventCount: 200...200, &random)
    folder.write(variant.source, to: "one.py")
    variant.shardCount = 8
    folder.write(variant.source, to: "eight.py")
    folder.write(log.text(0..<log.lines.count), to: "log.ndjson")
    try Shell.succeed(
      """
      set -e
      for name in one eight; do seq-config compile $name.py -o $name.json; done
      export SEQ_DEFINITIONS=one.json
      seq-ingest log.ndjson | seq-filter | seq-index --store batch --replace all
      export SEQ_DEFINITIONS=eight.json
      seq-ingest log.ndjson | seq-filter \(routing) > frames
      writers=""
      for shard in 0 1 2 3 4 5 6 7; do
        seq-index --store store --shard $shard/8 --settle < frames & writers="$writers $!"
      done
      for writer in $writers; do wait $writer; done
      rows() { for d in events views; do seq-store cat $d --store $1 --format ndjson; done | sort; }
      diff <(rows store) <(rows batch)
      seq-ingest log.ndjson | seq-filter | seq-index --store store --replace 2026-08-31..2026-09-01
      seq-store verify --store store >&2
      diff <(rows store) <(rows batch)
      seq-store compact --store store && seq-store verify --store store >&2
      diff <(rows store) <(rows batch)
      """, in: folder.path)
    let store = StoreDirectory(folder.path + "/store")
    for dataset in ["events", "views"] {
      let files = try store.dataset(dataset).snapshot().files
      #expect(files.allSatisfy { $0.tags == ["seqline.shards": "8"] })
      #expect(Set(files.map { $0.partitionValues["shard"] }).count > 1)
    }
  }
}
