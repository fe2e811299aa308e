import JSONText
import TestSupport
import Testing

/// What flows between the commands is open to other tools, and can come from them.
@Suite(.enabled(if: Peer.isPresent, "no Python with the other engines is set up"))
struct FrameTests {
  private func summary(_ kind: String, _ made: ExampleStore, _ name: String) throws -> JSONValue {
    try Peer.run("rows", kind, "\(made.path)/\(name)")
  }

  @Test(arguments: [0, 3]) func zstdAndPyarrowReadFramesOfEveryStage(level: Int) throws {
    let made = try ExampleStore.engagement()
    try made.run(
      """
      cat raw/*/*.ndjson | seq-ingest --level $LEVEL > raw.frames
      seq-filter --level $LEVEL raw.frames > kept.frames
      seq-enrich --level $LEVEL --tables . kept.frames > rich.frames
      seq-assemble --level $LEVEL rich.frames > done.frames
      for name in raw kept rich done; do
        zstd -tq $name.frames || exit 1
      done
      seq-filter --format ndjson --timestamps us raw.frames > kept.ndjson
      seq-enrich --format ndjson --timestamps us --tables . kept.frames > rich.ndjson
      seq-assemble --format ndjson --timestamps us rich.frames > done.ndjson
      """, ["LEVEL": "\(level)"])
    for name in ["kept", "rich", "done"] {
      let (frames, text) = (
        try summary("frames", made, name + ".frames"), try summary("ndjson", made, name + ".ndjson")
      )
      #expect(frames["count"] == text["count"] && frames["count"]?.integer ?? 0 > 1_000)
      #expect(frames["checksum"] == text["checksum"], "\(name)")
    }
  }

  @Test func concatenatedFramesAreAStream() throws {
    let made = try ExampleStore.engagement()
    let expected = try made.rows("engagements")
    try made.run(
      """
      for day in raw/*; do cat $day/*.ndjson | seq-filter > ${day//\\//-}.frames; done
      cat raw-*.frames | seq-enrich --tables . | tee rich.frames | seq-assemble | seq-index --replace all
      """)
    #expect(try made.rows("engagements") == expected)
    try made.run("cat rich.frames rich.frames | seq-index --replace all")
    #expect(try made.rows("engagements") == expected)
  }

  @Test func framesOfAnotherWriterAreRead() throws {
    let made = try ExampleStore.engagement()
    let expected = try made.rows("engagements")
    try made.run("cat raw/*/*.ndjson | seq-filter | seq-enrich --tables . > rich.frames")
    let written = try Peer.run("frames", made.path + "/rich.frames", made.path + "/foreign.frames")
    #expect(written["rows"]?.integer ?? 0 > 1_000)
    try made.run("seq-assemble foreign.frames | seq-index --replace all")
    #expect(try made.rows("engagements") == expected)
    try made.run("seq-index --replace all foreign.frames")
    #expect(try made.rows("engagements") == expected)
  }
}
