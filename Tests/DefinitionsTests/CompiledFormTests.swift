import Arrow
import Definitions
import JSONText
import Testing

@Suite struct CompiledFormTests {
  private let set: DefinitionSet

  init() throws {
    set = try PythonDefinitions.compile(
      PythonDefinitions.prelude + """

        maker = Lookup("maker", table="makers.csv", key="id: string", as_of="since: timestamp[s]",
                       columns={"maker_name": "name: string"})
        looks = Lookup("looks", table="looks.parquet", key="item_id",
                       columns={"look": "float32[8]", "small": "float64[2]"},
                       quantize={"look": "int8", "small": "float16"})

        EventType("tag", source=log, owner="team", retention="90d", dataset="tags", explode="tags[]",
                  explode_key="tags[].name", where="tags.weight > 0.5",
                  columns={"name": "tags[].name", "weight": "tags[].weight", "place": "element_index", "at": "ts",
                           "names_size": "size(text)", "age": "double(item) / 2.0"})

        view = EventType("view", source="log", owner="team", retention="4w", dataset="events",
                         columns={"item_id": "item", "tag_names": "tags[].name"},
                         enrich=[Derive("loud", "name_length > 3"), Derive("name_length", "size(maker_name)"),
                                 maker.on("maker_key"), Derive("maker_key", "string(maker_id)"), item.on("item_id"),
                                 looks.on("maker_id", prefix="maker_"), Derive("far", "size(later_maker_name)", at="request"),
                                 maker.on("maker_key", prefix="later_", at="request")])

        Sequence("s", owner="team", events=[click, "view"], columns=["ts", "dwell", "maker_look", "maker_look_scale"],
                 max_length=50, caps={click: 3}, window="7d", where="dwell > 3 || loud", version=2, stage="staging",
                 derive=[Counter("n"), Counter("m", "max", "dwell", window="1h"), Counter("t", "min", "ts"),
                         Session("session", gap="30m"), Gap("gap", where="loud")],
                 merge=Merge("item_id", within="1d", actions=MultiHot("event_type", ["click", "view"], name="actions")),
                 objects=Objects("maker_id"),
                 freshness="250ms", completeness="99.9% after 1d")
        """)
  }

  @Test func whatIsWrittenReadsAsTheSame() throws {
    #expect(try DefinitionSet(parsing: set.text) == set)
    #expect(try DefinitionSet(checking: set.text) == set)
    #expect(try DefinitionSet(parsing: set.json.indentedText).text == set.text)
  }

  @Test func theDigestCoversTheContentButNotTheVersion() throws {
    var published = set
    published.version = 7
    #expect(try DefinitionSet(parsing: published.text).digest == set.digest)
    let edited = set.text.replacing("'click'", with: "'clack'")
    let errors = #expect(throws: DefinitionErrors.self) { try DefinitionSet(parsing: edited, file: "d.json") }
    #expect(errors?.description.hasPrefix("d.json: digest: the digest of the content is ") == true)
  }

  @Test func aColumnKeepsItsTypeAndAnExpressionHasTheOneOfItsResult() throws {
    let tag = try #require(set.eventType("tag"))
    #expect(
      tag.columns.map { "\($0.name) = \($0.expression): \($0.type)" } == [
        "name = tags.name: string", "weight = tags.weight: float32", "place = element_index: int64",
        "at = ts: timestamp[us, UTC]", "names_size = size(text): int64", "age = double(item) / 2.0: float64",
      ])
    #expect(tag.explode == Explode(path: FieldPath("tags"), key: "tags.name"))
    #expect(set.eventType("view")?.columns.last?.type.description == "list<string>")
  }

  @Test func enrichmentsAreOrderedByWhatTheyRead() throws {
    let view = try #require(set.eventType("view"))
    let steps = view.enrichments.map { step in
      switch step {
      case .lookup(let use): use.prefix + use.lookup
      case .derive(let column): column.name
      }
    }
    #expect(steps == ["item", "maker_key", "maker", "name_length", "loud", "maker_looks"])
  }

  @Test func whatIsAddedAtRequestIsNotStored() throws {
    let view = try #require(set.eventType("view"))
    #expect(set.requestFeatures(of: view).map(\.name) == ["later_maker_name", "far"])
    #expect(set.dataset("events")?.schema["later_maker_name"] == nil)
    #expect(set.lookups(at: .request) == ["maker"])
  }

  @Test func quantisedEmbeddingsAreStoredSmall() throws {
    let looks = try #require(set.lookup("looks"))
    #expect(
      looks.columns.flatMap(\.outputs).map { "\($0.name): \($0.type)" } == [
        "look: int8[8]", "look_scale: float32", "small: float16[2]",
      ])
    #expect(looks.columns[0].sourceType.description == "float32[8]")
  }

  @Test func aDatasetHasTheColumnsOfAllItsEventTypes() throws {
    let events = try #require(set.dataset("events"))
    #expect(
      events.schema.fields.map(\.name) == [
        "user_id", "ts", "seen_at", "event_type", "event_key", "revision", "item_id", "dwell", "weight", "category",
        "embedding", "maker_id", "tag_names", "maker_key", "maker_name", "name_length", "loud", "maker_look",
        "maker_look_scale", "maker_small",
      ])
    #expect(events.userType == .int64)
    #expect(!events.schema.fields[0].isNullable)
    #expect(set.eventTypes(dataset: "events").map(\.name) == ["click", "view"])
  }

  @Test func aSequenceIsResolved() throws {
    let sequence = try #require(set.sequence("s"))
    #expect(sequence.columns.map(\.type.description) == ["timestamp[us, UTC]", "int32", "int8[8]", "float32"])
    #expect(
      sequence.history.map(\.type.description) == [
        "int64", "int32", "timestamp[us, UTC]", "timestamp[us, UTC]", "int64",
      ])
    #expect(sequence.windowMicros == 604_800_000_000)
    #expect(sequence.fields.last?.name == "actions" && sequence.fields.last?.type.description == "int8[2]")
    #expect(sequence.merge?.withinMicros == 86_400_000_000)
    #expect(
      sequence.objectFields.map(\.name) == ["maker_id", "first", "last", "count", "count_click", "count_view"])
    #expect(sequence.freshnessMicros == 250_000)
    #expect(sequence.completeness?.share == 0.999)
    #expect(sequence.completeness?.delayMicros == 86_400_000_000)
  }

  @Test func theCanonicalTextIsPinned() throws {
    let set = try PythonDefinitions.compile(
      """
      from seqline import *
      log = Source("log", path="{date}.ndjson", user="u", ts="t", id="i", lateness="1h",
                   fields={"u": "string", "t": "timestamp[rfc3339]", "i": "int64", "a[].b": "json"})
      size = Lookup("size", table="s.parquet", key="k: string", columns={"bytes": "uint32"})
      seen = EventType("seen", source=log, owner="o", retention="1d", columns={"c": "'x'", "b": "a[].b"},
                       enrich=[size.on("user_id"), Derive("big", "bytes > 1u")])
      Sequence("all", owner="o", events=[seen], columns=["ts", "big"], max_length=1, derive=[Gap("gap")])
      """)
    let sources = """
      [{"arrival":null,"fields":[{"path":"u","type":"string"},{"path":"t","type":"timestamp[rfc3339]"},\
      {"path":"i","type":"int64"},{"path":"a[].b","type":"json"}],"id":"i","lateness_us":3600000000,"name":"log",\
      "path":"{date}.ndjson","revision":null,"ts":"t","type":null,"user":"u"}]
      """
    let lookups = """
      [{"as_of":null,"columns":[{"name":"bytes","quantize":null,"source":"bytes","type":"uint32"}],"key":"k",\
      "key_type":"string","name":"size","table":"s.parquet"}]
      """
    let datasets = """
      [{"columns":[{"name":"user_id","type":"string"},{"name":"ts","type":"timestamp[us, UTC]"},\
      {"name":"seen_at","type":"timestamp[us, UTC]"},{"name":"event_type","type":"string"},\
      {"name":"event_key","type":"int64"},{"name":"revision","type":"int32"},{"name":"c","type":"string"},\
      {"name":"b","type":"list<string>"},{"name":"bytes","type":"uint32"},{"name":"big","type":"bool"}],"name":"seen"}]
      """
    let eventTypes = """
      [{"columns":[{"expression":"'x'","name":"c","type":"string"},\
      {"expression":"a.b","name":"b","type":"list<string>"}],\
      "dataset":"seen","enrich":[{"kind":"lookup","lookup":"size","on":"user_id","prefix":""},\
      {"expression":"bytes > 1u","kind":"derive","name":"big","type":"bool"}],"explode":null,"name":"seen","owner":"o",\
      "retention_us":86400000000,"source":"log","where":"true"}]
      """
    let sequences = """
      [{"caps":[],"columns":[{"name":"ts","type":"timestamp[us, UTC]"},{"name":"big","type":"bool"}],\
      "completeness":null,"derive":[{"kind":"gap","name":"gap","type":"int64","where":null}],"events":["seen"],"freshness_us":null,\
      "max_length":1,"name":"all","owner":"o","stage":"development","version":1,"where":null,"window_us":null}]
      """
    let text = """
      {"datasets":\(datasets),"digest":"\(set.digest)","event_types":\(eventTypes),"format":1,"lookups":\(lookups),\
      "sequences":\(sequences),"sources":\(sources),"version":0}

      """
    #expect(set.text == text)
    #expect(set.digest == "530d8b3b1ad1a565")
  }
}
