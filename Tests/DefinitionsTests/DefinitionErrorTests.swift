import Definitions
import Testing

@Suite struct DefinitionErrorTests {
  /// Definitions after the prelude, and all that is wrong with them.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var source: String
    var errors: [String]

    init(_ name: String, _ source: String, _ errors: String...) {
      (self.name, self.source, self.errors) = (name, source, errors)
    }

    var testDescription: String { name }
  }

  static let cases = [
    Case(
      "nothing",
      ""),
    Case(
      "duplicate names",
      #"""
      EventType("click", source=log, owner="team", retention="90d", columns={"dwell": "dwell"})
      Source("log", path="x", user="a", ts="a", id="a", lateness="0s", fields={"a": "timestamp[s]"})
      """#,
      "definitions.py:13: event type 'click': name: event type 'click' is declared twice, first at definitions.py:11; rename or remove one",
      "definitions.py:14: source 'log': name: source 'log' is declared twice, first at definitions.py:3; rename or remove one"
    ),
    Case(
      "names that cannot be",
      #"EventType("pin save", source=log, owner="", retention="90d", dataset="a/b", columns={"2nd": "dwell", "ts": "ts", "in": "dwell", "true": "dwell"})"#,
      "definitions.py:13: event type 'pin save': name: 'pin save' cannot be a name; begin with a letter and use letters, digits, '_' and '-'",
      "definitions.py:13: event type 'pin save': owner: an owner is missing; give one",
      "definitions.py:13: event type 'pin save': dataset: 'a/b' cannot be a name; begin with a letter and use letters, digits, '_' and '-'",
      "definitions.py:13: event type 'pin save': columns.2nd: '2nd' cannot name a column; begin with a letter or '_' and use letters, digits and '_'",
      "definitions.py:13: event type 'pin save': columns.ts: 'ts' is a system column that every event has; choose another name",
      "definitions.py:13: event type 'pin save': columns.in: 'in' is a word of the expressions' language; choose another name",
      "definitions.py:13: event type 'pin save': columns.true: 'true' is a word of the expressions' language; choose another name"
    ),
    Case(
      "a column declared twice",
      #"""
      EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"category": "kind"}, enrich=[item.on("item_id"), Derive("category", "kind")])
      Sequence("s", owner="t", events=[click, click], columns=["dwell", "dwell"], max_length=5)
      """#,
      "definitions.py:13: event type 'save': enrich[0]: column 'category' is declared twice; rename or remove one",
      "definitions.py:13: event type 'save': enrich[1]: column 'category' is declared twice; rename or remove one",
      "definitions.py:13: event type 'save': enrich[0].on: unknown column 'item_id'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'category'",
      "definitions.py:13: event type 'save': enrich[1].category: character 1: unknown column 'kind'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'category', 'category', 'embedding', 'maker_id'",
      "definitions.py:14: sequence 's': events[1]: event type 'click' is declared twice; rename or remove one",
      "definitions.py:14: sequence 's': columns[1]: column 'dwell' is declared twice; rename or remove one"),
    Case(
      "unknown columns",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"a": "dwel + 1", "b": "colour"}, where="kind == 'save' && size(tag) > 0")"#,
      "definitions.py:13: event type 'save': where: character 24: unknown column 'tag'; declare it, or use one of 'user.id', 'ts', 'id', 'rev', 'kind', 'dwell', 'item', 'text', 'tags.name', 'tags.weight'",
      "definitions.py:13: event type 'save': columns.a: character 1: unknown column 'dwel'; did you mean 'dwell'?",
      "definitions.py:13: event type 'save': columns.b: character 1: unknown column 'colour'; declare it, or use one of 'user.id', 'ts', 'id', 'rev', 'kind', 'dwell', 'item', 'text', 'tags.name', 'tags.weight'"
    ),
    Case(
      "unknown definitions",
      #"""
      EventType("save", source="logs", owner="team", retention="30d", columns={"a": "dwell"}, enrich=[item.on("a")])
      Sequence("s", owner="t", events=[click, "view"], columns=["ts"], max_length=5)
      EventType("view2", source=log, owner="team", retention="30d", columns={"a": "item"}, enrich=[Lookup.on("items", "a")])
      """#,
      "definitions.py:13: event type 'save': source: unknown source 'logs'; declare it, or use 'log'",
      "definitions.py:14: sequence 's': events[1]: unknown event type 'view'; declare it, or use one of 'click', 'save', 'view2'",
      "definitions.py:15: event type 'view2': enrich[0].lookup: unknown lookup 'items'; declare it, or use 'item'"),
    Case(
      "a lookup used as an enrichment",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"item_id": "item"}, enrich=[item, Session("s", gap="1h"), 3])"#,
      "definitions.py:13: event type 'save': enrich[0]: this is the lookup 'item'; give a lookup's on(column) or a Derive",
      "definitions.py:13: event type 'save': enrich[1]: this is a session; give a lookup's on(column) or a Derive",
      "definitions.py:13: event type 'save': enrich[2]: this is a number; give a lookup's on(column) or a Derive"),
    Case(
      "fields that cannot play their roles",
      #"""
      Source("web", path="", user="tags[].name", ts="id", id="nested", revision="id", arrival="when", type="n", lateness="soon",
             fields={"id": "float64", "n": "int8", "tags[].name": "string", "ts": "timestamp[ms]"})
      Source("app", path="p", user="tags[].name", ts="id", id="id", revision="id", arrival="when", type="n", lateness="1h",
             fields={"id": "float64", "n": "int8", "tags[].name": "string"})
      """#,
      "definitions.py:13: source 'web': lateness: 'soon' is no duration; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:13: source 'web': path: a path is missing; give one",
      "definitions.py:13: source 'web': user: 'tags[].name' has many values in an event; give a path without '[]'",
      "definitions.py:13: source 'web': ts: 'id' is float64; give a timestamp",
      "definitions.py:13: source 'web': revision: 'id' is float64; give an integer",
      "definitions.py:13: source 'web': type: 'n' is int8; give a string",
      "definitions.py:15: source 'app': user: 'tags[].name' has many values in an event; give a path without '[]'",
      "definitions.py:15: source 'app': ts: 'id' is float64; give a timestamp",
      "definitions.py:15: source 'app': id: 'id' is float64; give an integer or a string",
      "definitions.py:15: source 'app': revision: 'id' is float64; give an integer",
      "definitions.py:15: source 'app': arrival: 'when' is not among the fields; declare it, or use one of 'id', 'n', 'tags[].name'",
      "definitions.py:15: source 'app': type: 'n' is int8; give a string"),
    Case(
      "paths in conflict",
      #"""
      Source("web", path="p", user="id", ts="ts", id="id", lateness="1h",
             fields={"id": "string", "ts": "timestamp[rfc3339]", "a": "json", "a.b": "string", "c[].d": "string", "c.e": "string", "1.x": "bool", "a-b": "bool", "m[].n[].o": "bool"})
      """#,
      "definitions.py:13: source 'web': fields.a.b: 'a.b' needs another kind of value than 'a' at the same place; declare one of them",
      "definitions.py:13: source 'web': fields.c.e: 'c.e' needs another kind of value than 'c[].d' at the same place; declare one of them",
      "definitions.py:13: source 'web': fields.1.x: '1.x' is no path; join keys of letters, digits and '_' by dots, with '[]' after at most one",
      "definitions.py:13: source 'web': fields.a-b: 'a-b' is no path; join keys of letters, digits and '_' by dots, with '[]' after at most one",
      "definitions.py:13: source 'web': fields.m[].n[].o: 'm[].n[].o' is no path; join keys of letters, digits and '_' by dots, with '[]' after at most one"
    ),
    Case(
      "unknown types",
      #"""
      Source("web", path="p", user="id", ts="ts", id="id", lateness="1h",
             fields={"id": "str", "ts": "timestamp", "v": "string[3]", "w": 7})
      """#,
      "definitions.py:13: source 'web': fields.w: this is a number; give a string",
      "definitions.py:13: source 'web': fields.id: 'str' is no type; give one such as 'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'",
      "definitions.py:13: source 'web': fields.ts: 'timestamp' is no type; give one such as 'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'",
      "definitions.py:13: source 'web': fields.v: 'string[3]' is no type; give one such as 'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'"
    ),
    Case(
      "lookups that cannot work",
      #"""
      Lookup("a", table="a.xml", key="", columns={})
      Lookup("b", table="b.csv", key="id: uuid", as_of="at: int64", columns={"v": "float32[2]", "ts": "string", "n": "size: int"}, quantize={"v": "int4", "w": "int8"})
      Lookup("c", table="c.ndjson", key="id", columns={"name": "string"}, quantize={"name": "int8"})
      """#,
      "definitions.py:13: lookup 'a': key: a key column is missing; give one",
      "definitions.py:13: lookup 'a': table: table 'a.xml' has no known format; name a file that ends in .parquet, .ndjson, .csv",
      "definitions.py:13: lookup 'a': columns: a column is missing; give one",
      "definitions.py:14: lookup 'b': columns.n: 'int' is no type; give one such as 'string' or, with the column's name in the table, 'size: string'",
      "definitions.py:14: lookup 'b': quantize.v: 'int4' is no quantization; give 'float16', 'int8'",
      "definitions.py:14: lookup 'b': quantize.w: unknown column 'w'; declare it, or use one of 'v', 'ts'",
      "definitions.py:14: lookup 'b': key: 'uuid' is no key type; give 'int64', 'string'",
      "definitions.py:14: lookup 'b': as_of: 'int64' is no type of a time; give 'timestamp[s]', 'timestamp[ms]', 'timestamp[us]', 'timestamp[rfc3339]'",
      "definitions.py:14: lookup 'b': columns.v: CSV cannot hold float32[2]; keep the table as Parquet or NDJSON",
      "definitions.py:14: lookup 'b': columns.ts: 'ts' is a system column that every event has; choose another name",
      "definitions.py:15: lookup 'c': columns.name: string cannot be quantised; quantise float32[n] or float64[n]"),
    Case(
      "a key of another type",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"kind": "kind", "weight": "1.5", "dwell": "dwell"}, enrich=[item.on("kind"), item.on("weight", prefix="x_"), item.on("colour", prefix="y_")])"#,
      "definitions.py:13: event type 'save': enrich[0].on: column 'kind' is string, the keys of lookup 'item' are int64; declare key='item_id: string' or convert the column",
      "definitions.py:13: event type 'save': enrich[1].on: column 'weight' is float64, the keys of lookup 'item' are int64; choose a column of integers or strings",
      "definitions.py:13: event type 'save': enrich[2].on: unknown column 'colour'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'kind', 'weight', 'dwell', 'category', 'embedding', 'maker_id', …"
    ),
    Case(
      "expressions of the wrong type",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", where="dwell", columns={"a": "dwell + text", "b": "timestamp('2026-01-01T00:00:00Z') - ts", "c": "null", "d": "kind =="})"#,
      "definitions.py:13: event type 'save': where: the expression is int32, not bool; compare it with something",
      "definitions.py:13: event type 'save': columns.a: character 1: + does not take (int or null, string or null); convert the arguments",
      "definitions.py:13: event type 'save': columns.b: a column cannot be duration[us]; convert it, with string(…) or int(…)",
      "definitions.py:13: event type 'save': columns.c: a column cannot be null; convert it, with string(…) or int(…)",
      "definitions.py:13: event type 'save': columns.d: character 8: found the end where a value belongs; complete the expression"
    ),
    Case(
      "one column, two types",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"dwell": "text", "item": "item"}, enrich=[Derive("maker_id", "string(item)")])"#,
      "definitions.py:13: event type 'save': columns.dwell: column 'dwell' is string here and int32 in event type 'click'; convert one, or give it another name or dataset",
      "definitions.py:13: event type 'save': enrich.maker_id: column 'maker_id' is string here and int64 in event type 'click'; convert one, or give it another name or dataset"
    ),
    Case(
      "two user types in one dataset",
      #"""
      web = Source("web", path="p", user="id", ts="ts", id="id", lateness="1h", fields={"id": "string", "ts": "timestamp[s]"})
      EventType("visit", source=web, owner="t", retention="2d", dataset="events", columns={"dwell": "1"})
      """#,
      "definitions.py:14: event type 'visit': dataset: column 'user_id' is string here and int64 in event type 'click'; convert one, or give it another name or dataset",
      "definitions.py:14: event type 'visit': columns.dwell: column 'dwell' is int64 here and int32 in event type 'click'; convert one, or give it another name or dataset"
    ),
    Case(
      "a cycle",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"a": "dwell"}, enrich=[Derive("b", "a + c"), Derive("c", "d * 2"), Derive("d", "b - 1"), Derive("e", "b + 1"), Derive("f", "f + 1")])"#,
      "definitions.py:13: event type 'save': enrich[0]: b needs c needs d needs b; compute one of them from other columns",
      "definitions.py:13: event type 'save': enrich[4]: f needs f; compute one of them from other columns"),
    Case(
      "a cycle through a lookup",
      #"EventType("save", source=log, owner="team", retention="30d", dataset="events", columns={"a": "dwell"}, enrich=[item.on("key"), Derive("key", "maker_id + 1")])"#,
      "definitions.py:13: event type 'save': enrich[0]: category needs key needs category; compute one of them from other columns"
    ),
    Case(
      "arrays that are not there",
      #"""
      EventType("save", source=log, owner="team", retention="30d", dataset="events", explode="labels", columns={"a": "dwell"}, explode_key="size(text)")
      EventType("tag", source=log, owner="t", retention="9d", explode="tags", explode_key="tags[].weight", columns={"tag": "tags[].name"})
      EventType("tug", source=log, owner="t", retention="9d", explode_key="tags[].weight", columns={"tag": "tags[].name"})
      """#,
      "definitions.py:13: event type 'save': explode: no field lies in an array 'labels'; declare one in the source, such as 'labels[].id'",
      "definitions.py:14: event type 'tag': explode_key: 'tags.weight' is float32; give an integer or a string",
      "definitions.py:15: event type 'tug': explode_key: there are no elements to tell apart; give explode too"),
    Case(
      "times that cannot be",
      #"""
      EventType("save", source=log, owner="team", retention="1d", dataset="events", columns={"a": "dwell"})
      EventType("look", source=log, owner="t", retention="0d", columns={"a": "dwell"})
      EventType("view", source=log, owner="t", retention="1 month", columns={"a": "dwell"})
      Sequence("s", owner="t", events=[click], columns=["ts"], max_length=5, window="1000d", freshness="0s", completeness="120% after 1d",
               derive=[Counter("n", window="2000d"), Session("x", gap="0m")])
      """#,
      "definitions.py:13: event type 'save': retention: 1d is over before the last events of source 'log' arrive, up to 3d late; give 3d or more",
      "definitions.py:14: event type 'look': retention: a time of 0 keeps nothing; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:15: event type 'view': retention: '1 month' is no duration; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:16: sequence 's': completeness: '120% after 1d' is no promise; give one such as '99.9% after 1d'",
      "definitions.py:16: sequence 's': derive.n.window: 2000d reaches back further than any event is kept, at most 90d ('click'); shorten it or lengthen the retention",
      "definitions.py:16: sequence 's': derive.x.gap: a time of 0 keeps nothing; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:16: sequence 's': freshness: a time of 0 keeps nothing; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:16: sequence 's': window: 1000d reaches back further than any event is kept, at most 90d ('click'); shorten it or lengthen the retention"
    ),
    Case(
      "faults of several kinds in one definition",
      #"""
      Source("web", path="p", user="id", ts="ts", id="n", lateness="1h", fields={"id": "float32", "ts": "time", "n": "int8"})
      EventType("visit", source="webb", owner="", retention="2 days", columns={"a": 1, "b": "dwell"})
      EventType("visit2", source=log, owner="t", retention="2d", columns={"a": 1, "b": "dwel"}, enrich=[Derive("c", "b + 1"), Derive("ts", "a")])
      """#,
      "definitions.py:13: source 'web': fields.ts: 'time' is no type; give one such as 'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'",
      "definitions.py:13: source 'web': user: 'id' is float32; give an integer or a string",
      "definitions.py:14: event type 'visit': retention: '2 days' is no duration; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:14: event type 'visit': columns.a: this is a number; give a string",
      "definitions.py:14: event type 'visit': owner: an owner is missing; give one",
      "definitions.py:14: event type 'visit': source: unknown source 'webb'; declare it, or use one of 'log', 'web'",
      "definitions.py:15: event type 'visit2': columns.a: this is a number; give a string",
      "definitions.py:15: event type 'visit2': retention: 2d is over before the last events of source 'log' arrive, up to 3d late; give 3d or more",
      "definitions.py:15: event type 'visit2': columns.b: character 1: unknown column 'dwel'; did you mean 'dwell'?",
      "definitions.py:15: event type 'visit2': enrich[1]: 'ts' is a system column that every event has; choose another name"
    ),
    Case(
      "limits that cannot be",
      #"""
      Sequence("s", owner="t", events=[click], columns=["ts"], max_length=0, version=0, caps={"save": 3, click: -1}, stage="live")
      Sequence("t", owner="t", events=[click], columns=["ts"], max_length=3, caps={"save": 3})
      Sequence("u", owner="t", events=[], columns=[], max_length=3)
      """#,
      "definitions.py:13: sequence 's': version: 0 is out of range; give 1 to 2147483647",
      "definitions.py:13: sequence 's': stage: 'live' is no stage; give one of 'development', 'staging', 'production'",
      "definitions.py:13: sequence 's': max_length: 0 is out of range; give 1 to 2147483647",
      "definitions.py:13: sequence 's': caps.click: -1 is out of range; give 1 to 2147483647",
      "definitions.py:13: sequence 's': caps.save: event type 'save' is not in the sequence; add it, or use 'click'",
      "definitions.py:14: sequence 't': caps.save: event type 'save' is not in the sequence; add it, or use 'click'",
      "definitions.py:15: sequence 'u': events: an event type is missing; give one",
      "definitions.py:15: sequence 'u': columns: a column is missing; give one"),
    Case(
      "columns of a sequence",
      #"""
      Sequence("s", owner="t", events=[click], columns=["ts", "colour"], max_length=5, where="dwell + 1",
               derive=[Counter("dwell"), Counter("ts"), Counter("a", "sum"), Counter("b", "mean", "category"), Counter("c", "count", "dwell"),
                       Counter("d", "median"), Counter("e", where="kind == 1"), Gap("g", where="dwell"), Derive("h", "dwell")])
      """#,
      "definitions.py:13: sequence 's': derive[5].aggregate: 'median' is no aggregate; give one of 'count', 'sum', 'mean', 'min', 'max'",
      "definitions.py:13: sequence 's': derive[8]: this is a derive; give a Counter, Session or Gap",
      "definitions.py:13: sequence 's': where: the expression is int64, not bool; compare it with something",
      "definitions.py:13: sequence 's': columns[1]: unknown column 'colour'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'item_id', 'dwell', 'weight', 'category', 'embedding', 'maker_id'",
      "definitions.py:13: sequence 's': derive.ts: 'ts' is a system column that every event has; choose another name",
      "definitions.py:13: sequence 's': derive.a.column: a column to take the sum of is missing; give one",
      "definitions.py:13: sequence 's': derive.b.column: string column 'category' has no mean; choose a number, or count",
      "definitions.py:13: sequence 's': derive.c.column: count takes no column; count events where 'dwell != null'",
      "definitions.py:13: sequence 's': derive.e.where: character 1: unknown column 'kind'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'item_id', 'dwell', 'weight', 'category', 'embedding', 'maker_id'",
      "definitions.py:13: sequence 's': derive.g.where: the expression is int32, not bool; compare it with something"),
    Case(
      "merging, objects and what is added at request",
      #"""
      seen = EventType("seen", source=log, owner="team", retention="30d", dataset="seen", columns={"item_id": "item", "weight": "dwell"},
                       enrich=[Derive("heavy", "weight > 3", at="request"), Derive("light", "!heavy")])
      Sequence("s", owner="t", events=[seen], columns=["ts", "heavy"], max_length=5, where="heavy", derive=[Counter("n", "sum", "heavy")],
               merge=Merge("ts", within="90d", actions=MultiHot("item_id", ["a", "a"], name="heavy")), objects=Objects("heavy"))
      Sequence("u", owner="t", events=[seen], columns=["ts"], max_length=5, merge=Objects("item_id"), objects="item_id")
      Sequence("v", owner="t", events=[seen], columns=["ts"], max_length=5, merge=Merge("item", within="0s", actions=MultiHot("event_type", [], name="ts")))
      EventType("odd", source=log, owner="t", retention="30d", columns={"item_id": "item"}, enrich=[Derive("x", "item_id + 1", at="later")])
      """#,
      "definitions.py:13: event type 'seen': enrich[0].light: character 2: column 'heavy' is added when events are read; add it with at='index' to use it here",
      "definitions.py:15: sequence 's': where: character 1: column 'heavy' is added when events are read; add it with at='index' to use it here",
      "definitions.py:15: sequence 's': derive.n.column: column 'heavy' is added when events are read; add it with at='index' to use it here",
      "definitions.py:15: sequence 's': merge.key: 'ts' is timestamp[us, UTC]; give a column of integers or strings",
      "definitions.py:15: sequence 's': merge.within: 90d reaches back further than any event is kept, at most 30d ('seen'); shorten it or lengthen the retention",
      "definitions.py:15: sequence 's': merge.actions.name: column 'heavy' is declared twice; rename or remove one",
      "definitions.py:15: sequence 's': merge.actions.column: 'item_id' is int64; give a column of strings",
      "definitions.py:15: sequence 's': merge.actions.values[1]: value 'a' is declared twice; rename or remove one",
      "definitions.py:15: sequence 's': objects.key: column 'heavy' is added when events are read; add it with at='index' to use it here",
      "definitions.py:17: sequence 'u': merge: this is an objects; give a Merge",
      "definitions.py:17: sequence 'u': objects: this is a string; give an Objects",
      "definitions.py:18: sequence 'v': merge.actions.values: 0 is out of range; give 1 to 64",
      "definitions.py:18: sequence 'v': merge.key: unknown column 'item'; declare it, or use one of 'user_id', 'ts', 'seen_at', 'event_type', 'event_key', 'revision', 'item_id', 'weight'",
      "definitions.py:18: sequence 'v': merge.within: a time of 0 keeps nothing; give one such as '90d', '12h', '30m', '15s' or '250ms'",
      "definitions.py:18: sequence 'v': merge.actions.name: 'ts' is a system column that every event has; choose another name",
      "definitions.py:19: event type 'odd': enrich[0].at: 'later' is no time of an enrichment; give one of 'index', 'request'"
    ),
    Case(
      "kinds of Python values",
      #"""
      import datetime
      EventType(7, source=click, owner=None, retention=datetime.timedelta(days=3), columns=["dwell"], where=True, enrich="item")
      Sequence("s", owner="t", events=log, columns="ts", max_length=2.5)
      """#,
      "definitions.py:14: event type: name: this is a number; give a string",
      "definitions.py:14: event type: source: this is the event type 'click'; give a source or its name",
      "definitions.py:14: event type: owner: this is null; give a string",
      "definitions.py:14: event type: dataset: this is a number; give a string",
      "definitions.py:14: event type: retention: this is a Python timedelta; give a string",
      "definitions.py:14: event type: where: this is a boolean; give a string",
      "definitions.py:14: event type: columns: this is an array; give a dictionary",
      "definitions.py:14: event type: enrich: this is a string; give an array",
      "definitions.py:15: sequence 's': events: this is the source 'log'; give an array",
      "definitions.py:15: sequence 's': max_length: this is a number; give a whole number",
      "definitions.py:15: sequence 's': columns: this is a string; give an array"),
    Case(
      "what follows from a fault is not blamed",
      #"""
      web = Source("web", path="p", user="id", ts="ts", id="id", lateness="1h", fields={"id": "string", "ts": "timestamp[s]", "n": "int"})
      visit = EventType("visit", source=web, owner="t", retention="2d", columns={"n": "n", "m": "n + 1"}, enrich=[Derive("o", "n * 2")])
      Sequence("s", owner="t", events=[visit], columns=["n", "m", "o"], max_length=9, where="o > 3")
      """#,
      "definitions.py:13: source 'web': fields.n: 'int' is no type; give one such as 'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'"
    ),
    Case(
      "Python that fails deeper",
      #"""
      def f():
        return 1 / 0
      f()
      """#,
      "definitions.py:14: ZeroDivisionError: division by zero; correct the Python"),
    Case(
      "Python that is none",
      #"""
      def f(:

      """#,
      "definitions.py:13: SyntaxError: invalid syntax; correct the Python"),
  ]

  @Test(arguments: cases)
  func everyFaultIsNamedWithItsPlaceAndRemedy(example: Case) throws {
    #expect(try PythonDefinitions.errors(PythonDefinitions.prelude + example.source) == example.errors)
  }

  @Test func anUnknownArgumentIsPythonsOwnError() throws {
    let source = #"EventType("save", source=log, owner="team", retension="30d", columns={})"#
    let errors = try PythonDefinitions.errors(PythonDefinitions.prelude + source)
    #expect(errors.count == 1)
    #expect(errors[0].hasPrefix("definitions.py:13: TypeError: "))
    #expect(errors[0].contains("'retension'"))
  }
}
