import Arrow
import Buffers
import Foundation
import Parquet
import TestSupport
import Testing

/// Other readers of Parquet: files gathered here are compared with what pyarrow reads of the same rows as an Arrow stream.
struct ReadingPeers {
  static let isPresent = SharedData.python != nil

  private let directory = TemporaryDirectory()
  private var caseCount = 0

  mutating func add(_ batch: RecordBatch, options: ParquetWriterOptions = ParquetWriterOptions()) throws {
    let folder = "\(directory.path)/\(caseCount)"
    caseCount += 1
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try Files.write(WrittenFile.write([batch], options: options).bytes, to: folder + "/file.parquet")
    try Files.write(
      IPCStreamEncoder.encode(schema: batch.schema, batches: [batch]), to: folder + "/rows.arrows")
  }

  /// Expects that pyarrow, DuckDB and Polars read the rows of every file added.
  func expectEqualRows() throws {
    directory.write(Self.script, to: "compare.py")
    let run = try Tool.run(
      SharedData.python!,
      pythonArguments(file: directory.path + "/compare.py") + [directory.path, "\(caseCount)"])
    #expect(run.status == 0, "\(run.errors)")
  }

  private static let script = """
    import sys, math
    import duckdb, polars, pyarrow as pa, pyarrow.ipc as ipc, pyarrow.parquet as pq
    types = pa.types

    def plain(value):
        if isinstance(value, float):
            return 'nan' if math.isnan(value) else value
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return getattr(value, 'bytes', value)  # a UUID is its bytes

    def rows(table):
        return {name: [plain(v) for v in column.to_pylist()] for name, column in zip(table.column_names, table.columns)}

    def stored(column):  # as Parquet holds it
        kind = column.type
        if types.is_timestamp(kind) and kind.unit == 's':
            return column.cast(pa.timestamp('ms', kind.tz))
        if types.is_time(kind) and kind.unit == 's':
            return column.cast(pa.time32('ms'))
        if types.is_date64(kind):
            return column.cast(pa.int64()).cast(pa.timestamp('ms')).cast(pa.date32(), safe=False)
        return column.cast(pa.int64()) if types.is_duration(kind) else column

    def holds(kind, *tests):
        return any(test(kind) for test in tests) or any(holds(kind.field(i).type, *tests) for i in range(kind.num_fields))

    def check(folder):
        path = folder + '/file.parquet'
        stream = ipc.open_stream(open(folder + '/rows.arrows', 'rb').read()).read_all()
        want = rows(pa.table({n: stored(c) for n, c in zip(stream.column_names, stream.columns)}))

        def compare(who, got, names):
            for name in names:
                if got[name] == want[name]: continue
                at = next((i for i, (a, b) in enumerate(zip(got[name], want[name])) if a != b), None)
                a, b = (got[name][at], want[name][at]) if at is not None else (len(got[name]), len(want[name]))
                sys.exit(f'{folder} {who}: {name} ({stream.schema.field(name).type}) row {at}: {a!r} is not {b!r}')

        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        compare('pyarrow', rows(table), stream.column_names)
        names = [f.name for f in table.schema
            if not holds(f.type, types.is_null, types.is_float16, types.is_map, types.is_fixed_size_binary)]
        got = connection.sql("SELECT %s FROM read_parquet('%s')" % (', '.join('"%s"' % n for n in names), path))
        compare('duckdb', rows(got.to_arrow_table()), names)
        names = [f.name for f in table.schema if not holds(f.type, types.is_map, types.is_float16)]
        compare('polars', rows(polars.read_parquet(path, columns=names).to_arrow()), names)
        if 'bloom' in table.column_names:
            column = table['bloom'].to_pylist()
            probe = "SELECT count(*) FROM parquet_bloom_probe('%s', 'bloom', %d) WHERE bloom_filter_excludes"
            excluded = [connection.execute(probe % (path, v)).fetchall()[0][0] for v in (column[0], column[-1], -1, -2, -3)]
            if excluded[:2] != [0, 0] or max(excluded[2:]) == 0:
                sys.exit(f'{folder} duckdb: bloom filter excludes {excluded}')

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for case in range(int(sys.argv[2])):
        check(f'{sys.argv[1]}/{case}')
    """
}
