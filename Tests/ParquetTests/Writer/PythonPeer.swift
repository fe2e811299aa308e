import Arrow
import Buffers
import Foundation
import Testing

/// Other readers of Parquet, in the Python that `SEQLINE_PYTHON` names.
enum PythonPeer {
  static let path =
    ProcessInfo.processInfo.environment["SEQLINE_PYTHON"]
    ?? URL(filePath: #filePath).appending(path: "../../../../.venv/bin/python").standardized.path
  static let isPresent = FileManager.default.isExecutableFile(atPath: path)

  /// Compares what pyarrow, DuckDB and Polars read of `parquet` with what pyarrow reads of the rows as an Arrow stream.
  static func expectEqual(parquet: Buffer, stream batch: RecordBatch) throws {
    try withDirectory { directory in
      try data(parquet).write(to: directory.appending(path: "file.parquet"))
      try data(IPCStreamEncoder.encode(schema: batch.schema, batches: [batch]))
        .write(to: directory.appending(path: "rows.arrows"))
      let (status, output) = try run(compare, [directory.path])
      #expect(status == 0, "\(output)")
    }
  }

  static func withDirectory(_ body: (URL) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "parquet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory)
  }

  static func data(_ buffer: Buffer) -> Data { unsafe buffer.withUnsafeBytes { unsafe Data($0) } }

  /// Runs `script` with `arguments`; answers its exit status and all that it printed.
  static func run(_ script: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = ["-c", script] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  private static let compare = """
    import sys, math
    import pyarrow as pa, pyarrow.ipc as ipc, pyarrow.parquet as pq
    directory = sys.argv[1]
    path = directory + '/file.parquet'
    expected = ipc.open_stream(open(directory + '/rows.arrows', 'rb').read()).read_all()

    def plain(value):
        if isinstance(value, float):
            return 'nan' if math.isnan(value) else value
        if isinstance(value, list):
            return [plain(v) for v in value]
        if isinstance(value, tuple):
            return [plain(v) for v in value]
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return value

    def rows(table):
        return {name: [plain(v) for v in column.to_pylist()] for name, column in zip(table.column_names, table.columns)}

    def decoded(table):
        return pa.table({n: c.cast(c.type.value_type) if pa.types.is_dictionary(c.type)
            and not pa.types.is_nested(c.type.value_type) else c for n, c in zip(table.column_names, table.columns)})

    def stored(type):  # what Parquet holds in its place
        if types.is_timestamp(type) and type.unit == 's':
            return pa.timestamp('ms', type.tz)
        if types.is_time(type) and type.unit == 's':
            return pa.time32('ms')
        if types.is_date64(type):
            return pa.date32()
        return pa.int64() if types.is_duration(type) else type

    types = pa.types
    fields = [(f.name, stored(f.type)) for f in expected.schema]
    # Whole days alone have a date.
    expected = pa.table({n: expected.column(n).cast(pa.int64()).cast(pa.timestamp('ms')).cast(pa.date32(), safe=False)
        if types.is_date64(expected.schema.field(n).type) else expected.column(n).cast(t)
        if expected.schema.field(n).type != t else expected.column(n) for n, t in fields})
    want = rows(expected)
    def check(who, got, names):
        for name in names:
            if got[name] != want[name]:
                at = next((i for i, (a, b) in enumerate(zip(got[name], want[name])) if a != b), None)
                sys.exit(f'{who}: column {name} ({expected.schema.field(name).type}): {len(got[name])} rows, first at {at}: '
                    f'{got[name][at] if at is not None else None!r} is not {want[name][at] if at is not None else None!r}')

    parquet = pq.ParquetFile(path, page_checksum_verification=True)
    table = parquet.read()
    check('pyarrow', rows(table), expected.column_names)

    def supported(kind, refused):
        if any(test(kind) for test in refused):
            return False
        return all(supported(kind.field(i).type, refused) for i in range(kind.num_fields))

    import duckdb
    names = [f.name for f in table.schema if supported(f.type, [types.is_null, types.is_float16, types.is_map,
        types.is_fixed_size_binary])]
    got = duckdb.connect().execute("SET TimeZone = 'UTC'; SELECT %s FROM read_parquet('%s')" % (
        ', '.join('"%s"' % n for n in names), path))
    got = got.to_arrow_table() if hasattr(got, 'to_arrow_table') else got.arrow()
    if hasattr(got, 'read_all'): got = got.read_all()
    check('duckdb', rows(got), names)

    import polars
    names = [f.name for f in table.schema if supported(f.type, [types.is_map, types.is_float16])]
    check('polars', rows(polars.read_parquet(path, columns=names).to_arrow()), names)
    """
}
