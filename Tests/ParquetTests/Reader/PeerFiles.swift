import TestSupport

/// Files that other tools write, each beside the rows they mean, in a directory of the test run.
enum PeerFiles {
  /// The directory; nil without the tools.
  static let directory: TemporaryDirectory? = {
    guard let python = SharedData.python else { return nil }
    let directory = TemporaryDirectory()
    directory.write(script, to: "write.py")
    guard let run = try? Tool.run(python, pythonArguments(file: directory.path + "/write.py") + [directory.path]) else {
      return nil
    }
    precondition(run.status == 0, run.errors)
    return directory
  }()

  /// The files' names.
  static let names: [String] =
    directory.map { directory in
      SharedData.names(in: directory.path).filter { $0.hasSuffix(".parquet") }
    } ?? []

  private static let script = #"""
    import base64, datetime, decimal, json, random, sys
    import duckdb, polars, pyarrow as pa, pyarrow.parquet as pq

    folder = sys.argv[1]
    random.seed(1)

    def text(value):
        if value is None or isinstance(value, (bool, int, str)): return value
        if isinstance(value, float):
            if value != value: return {"$float": "NaN"}
            if value in (float("inf"), float("-inf")): return {"$float": "Infinity" if value > 0 else "-Infinity"}
            return value
        if isinstance(value, bytes): return {"$b64": base64.b64encode(value).decode()}
        if isinstance(value, decimal.Decimal): return {"$decimal": format(value, "f")}
        if isinstance(value, (datetime.date, datetime.datetime, datetime.time)): return {"$iso": value.isoformat()}
        if isinstance(value, (list, tuple)): return [text(item) for item in value]
        if isinstance(value, dict): return {key: text(item) for key, item in value.items()}
        return text(value.bytes if hasattr(value, "bytes") else value.item())

    def rows(table):
        columns = [c.cast(pa.timestamp("us", c.type.tz)) if pa.types.is_timestamp(c.type) and c.type.unit == "ns"
                   else c.cast(pa.time64("us")) if c.type == pa.time64("ns") else c for c in table.columns]
        for row in pa.table(columns, names=table.column_names).to_pylist(): yield json.dumps(text(row))

    def expect(name, table):
        with open(f"{folder}/{name}.ndjson", "w") as out:
            for row in rows(table): print(row, file=out)

    def column(count, nulls, make):
        return [None if random.random() < nulls else make(i) for i in range(count)]

    def word(): return "".join(random.choice("abcdefgh ") for _ in range(random.randrange(0, 40)))

    epoch = datetime.datetime(1970, 1, 1)
    def moment(): return epoch + datetime.timedelta(microseconds=random.randrange(-10**15, 9 * 10**15))

    def flat(count, nulls):
        utc = datetime.timezone.utc
        make = {
            "bool": (pa.bool_(), lambda i: random.random() < 0.5),
            "runs": (pa.bool_(), lambda i: i // 100 % 2 == 0),
            "int8": (pa.int8(), lambda i: random.randrange(-128, 128)),
            "uint8": (pa.uint8(), lambda i: random.randrange(256)),
            "int16": (pa.int16(), lambda i: random.randrange(-2**15, 2**15)),
            "uint16": (pa.uint16(), lambda i: random.randrange(2**16)),
            "int32": (pa.int32(), lambda i: random.randrange(-2**31, 2**31)),
            "uint32": (pa.uint32(), lambda i: random.randrange(2**32)),
            "int64": (pa.int64(), lambda i: random.randrange(-2**63, 2**63)),
            "sorted": (pa.int64(), lambda i: i * 1000 + random.randrange(100)),
            "few": (pa.int64(), lambda i: random.randrange(7)),
            "float16": (pa.float16(), lambda i: random.randrange(-100, 100) / 4),
            "float": (pa.float32(), lambda i: random.gauss(0, 1)),
            "double": (pa.float64(), lambda i: float("nan") if i % 97 == 0 else random.gauss(0, 1)),
            "string": (pa.string(), lambda i: word()),
            "category": (pa.string(), lambda i: random.choice(["home", "search", "", "a much longer category name"])),
            "prefix": (pa.string(), lambda i: f"https://example.org/items/{i // 7}/{i}"),
            "binary": (pa.binary(), lambda i: random.randbytes(random.randrange(20))),
            "fixed": (pa.binary(5), lambda i: random.randbytes(5)),
            "uuid": (pa.binary(16), lambda i: random.randbytes(16)),
            "decimal9": (pa.decimal128(9, 2), lambda i: decimal.Decimal(random.randrange(-10**9 + 1, 10**9)).scaleb(-2)),
            "decimal18": (pa.decimal128(18, 4), lambda i: decimal.Decimal(random.randrange(-10**18 + 1, 10**18)).scaleb(-4)),
            "decimal38": (pa.decimal128(38, 10), lambda i: decimal.Decimal(random.randrange(-10**27, 10**27)).scaleb(-10)),
            "date": (pa.date32(), lambda i: moment().date()),
            "time_ms": (pa.time32("ms"), lambda i: moment().time().replace(microsecond=123000)),
            "time_us": (pa.time64("us"), lambda i: moment().time()),
            "time_ns": (pa.time64("ns"), lambda i: moment().time()),
            "ms": (pa.timestamp("ms"), lambda i: moment().replace(microsecond=5000)),
            "us": (pa.timestamp("us"), lambda i: moment()),
            "utc": (pa.timestamp("us", "UTC"), lambda i: moment().replace(tzinfo=utc)),
            "ns": (pa.timestamp("ns"), lambda i: moment()),
        }
        decimal.getcontext().prec = 50
        return pa.table({name: pa.array(column(count, nulls, f), type) for name, (type, f) in make.items()})

    def nested(count, nulls):
        few = lambda: random.randrange(0, 5)
        def maybe(f): return None if random.random() < nulls else f()
        number = lambda: random.randrange(1000)
        pair = pa.struct([("x", pa.int32()), ("y", pa.string())])
        make = {
            "ints": (pa.list_(pa.int64()), lambda i: [maybe(number) for _ in range(few())]),
            "embedding": (pa.list_(pa.float32()), lambda i: [random.random() for _ in range(16)]),
            "words": (pa.list_(pa.list_(pa.string())), lambda i: [maybe(lambda: [maybe(word) for _ in range(few())]) for _ in range(few())]),
            "pair": (pair, lambda i: {"x": maybe(number), "y": maybe(word)}),
            "pairs": (pa.list_(pair), lambda i: [maybe(lambda: {"x": maybe(number), "y": maybe(word)}) for _ in range(few())]),
            "deep": (pa.struct([("a", pa.struct([("b", pa.list_(pa.bool_())), ("c", pa.date32())]))]),
                     lambda i: {"a": maybe(lambda: {"b": [maybe(lambda: random.random() < 0.5) for _ in range(few())], "c": moment().date()})}),
            "map": (pa.map_(pa.string(), pa.int32()), lambda i: [(str(k), maybe(number)) for k in range(few())]),
            "maps": (pa.list_(pa.map_(pa.int32(), pa.list_(pa.int32()))), lambda i: [[(k, [number()] * few()) for k in range(few())] for _ in range(few())]),
            "after": (pa.int32(), lambda i: i),
        }
        return pa.table({name: pa.array(column(count, nulls, f), type) for name, (type, f) in make.items()})

    tables = {"flat": flat(1200, 0), "sparse": flat(1200, 0.2), "void": flat(300, 1), "nested": nested(1200, 0), "holes": nested(1200, 0.15)}
    large = pa.table({"id": pa.array(range(40000), pa.int64()), "tag": [str(i % 1000) for i in range(40000)], "list": [[i] * (i % 3) for i in range(40000)]})

    def arrow(name, table, **options):
        pq.write_table(table, f"{folder}/{name}.parquet", **options)
        if name.endswith("old") and "utc" in table.column_names:  # INT96 knows no zone
            table = table.set_column(table.column_names.index("utc"), "utc", table["utc"].cast(pa.timestamp("us")))
        expect(name, table)

    for name, table in tables.items():
        arrow(f"arrow-{name}", table)
        arrow(f"arrow-{name}-v2", table, data_page_version="2.0", version="2.6", compression="zstd", data_page_size=2000, write_page_index=True, write_page_checksum=True)
        arrow(f"arrow-{name}-plain", table, use_dictionary=False, compression="gzip", data_page_size=1000, row_group_size=500)
        arrow(f"arrow-{name}-old", table, version="1.0", compression="none", use_deprecated_int96_timestamps=True, use_compliant_nested_type=False, write_page_checksum=True)
        arrow(f"arrow-{name}-lz4", table, compression="lz4", dictionary_pagesize_limit=600, data_page_size=800, store_decimal_as_integer=True, write_page_index=True)
        if "map" not in table.column_names and name != "void":
            polars.from_arrow(table).write_parquet(f"{folder}/polars-{name}.parquet")
            expect(f"polars-{name}", table)

    delta = {"int32": "DELTA_BINARY_PACKED", "int64": "DELTA_BINARY_PACKED", "sorted": "DELTA_BINARY_PACKED", "us": "DELTA_BINARY_PACKED",
             "uint8": "DELTA_BINARY_PACKED", "string": "DELTA_BYTE_ARRAY", "prefix": "DELTA_BYTE_ARRAY", "binary": "DELTA_LENGTH_BYTE_ARRAY",
             "category": "DELTA_LENGTH_BYTE_ARRAY", "float": "BYTE_STREAM_SPLIT", "double": "BYTE_STREAM_SPLIT", "float16": "BYTE_STREAM_SPLIT",
             "fixed": "BYTE_STREAM_SPLIT", "uuid": "DELTA_BYTE_ARRAY", "decimal38": "BYTE_STREAM_SPLIT", "bool": "RLE", "runs": "RLE",
             "few": "BYTE_STREAM_SPLIT", "uint32": "BYTE_STREAM_SPLIT"}
    for name in ["flat", "sparse", "void"]:
        for version in ["1.0", "2.0"]:
            arrow(f"arrow-{name}-delta-{version}", tables[name], use_dictionary=False, column_encoding=delta, data_page_version=version, data_page_size=3000, compression="none")
    arrow("arrow-large", large, row_group_size=25000)

    for name, table in tables.items():
        keep = [c for c in table.column_names if c not in ("float16", "time_ns")]
        part = table.select(keep)
        for version in ["V1", "V2"]:
            path = f"{folder}/duckdb-{name}-{version}.parquet"
            duckdb.sql(f"COPY part TO '{path}' (FORMAT parquet, PARQUET_VERSION {version})")
            expect(f"duckdb-{name}-{version}", part)
    duckdb.sql(f"COPY large TO '{folder}/duckdb-large.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 15000)")
    expect("duckdb-large", large)
    duckdb.sql(f"COPY (SELECT i, i % 3 = 0 b, [i, i + 1] l, {{'a': i, 'b': 'x' || i}} s, i::HUGEINT h, uuid() u FROM range(5000) t(i)) TO '{folder}/duckdb-gen.parquet' (FORMAT parquet)")
    expect("duckdb-gen", pq.read_table(f"{folder}/duckdb-gen.parquet"))
    """#
}
