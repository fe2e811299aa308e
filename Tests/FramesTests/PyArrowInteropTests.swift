import Arrow
import Buffers
import Frames
import JSONText
import TestSupport
import Testing

@Suite(.enabled(if: SharedData.python != nil, "no Python with pyarrow is set up"))
struct PyArrowInteropTests {
  private func python(_ script: String, _ arguments: [String]) throws -> Buffer {
    let result = try Tool.run(SharedData.python!, pythonArguments(script) + arguments)
    #expect(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// Prints, for each file, a list of the stream's columns as JSON, in the form of `ArrowArray.allValues`.
  static let printColumns = """
    import sys, json, decimal, datetime
    import pyarrow as pa, pyarrow.ipc as ipc
    def plain(value, type):
        if value is None: return None
        if pa.types.is_dictionary(type): return plain(value, type.value_type)
        if pa.types.is_timestamp(type): return int(value)
        if pa.types.is_date32(type): return (value - datetime.date(1970, 1, 1)).days
        if pa.types.is_decimal(type): return str(int(value.scaleb(type.scale)))
        if pa.types.is_map(type):
            return [{"key": plain(k, type.key_type), "value": plain(v, type.item_type)} for k, v in value]
        if pa.types.is_struct(type): return {f.name: plain(value[f.name], f.type) for f in type}
        if pa.types.is_list(type) or pa.types.is_fixed_size_list(type):
            return [plain(v, type.value_type) for v in value]
        if isinstance(value, bytes): return value.hex()
        return value
    def columns(path):
        tables = []
        with open(path, "rb") as file:
            while file.peek(1): tables.append(ipc.open_stream(pa.PythonFile(file, "r")).read_all())
        table = pa.concat_tables(tables)
        table.validate(full=True)
        for column in table.columns:
            type = column.type
            if pa.types.is_timestamp(type): column = column.cast(pa.int64())
            yield [plain(v.as_py(), type) for v in column]
    print(json.dumps([list(columns(path)) for path in sys.argv[1:]]))
    """

  @Test func pyarrowReadsWhatWasWritten() throws {
    var random = SeededRandom(seed: 4)
    let directory = TemporaryDirectory()
    var expected: [(DataType, [JSONValue])] = []
    for type in SeededRandom.allTypes {
      let schema = Schema([Field("c", type)], metadata: ["seq.kind": "event"])
      // One batch: pyarrow joins a column's batches only when they share a dictionary.
      let batch = RecordBatch(schema, [random.array(type, count: 37)])
      let stream = IPCStreamEncoder.encode(schema: schema, batches: [batch])
      try Files.write(stream, to: "\(directory.path)/\(expected.count)")
      expected.append((type, batch.columns[0].allValues))
    }
    let output = try python(Self.printColumns, expected.indices.map { "\(directory.path)/\($0)" })
    let found = try JSONValue(parsing: output.bytes).array!
    for ((type, values), columns) in zip(expected, found) {
      #expect(columns.array![0].array!.map(Self.normalized) == values.map(Self.normalized), "\(type)")
    }
  }

  /// Numbers as doubles, since JSON of a float may lack its fraction.
  static func normalized(_ value: JSONValue) -> JSONValue {
    switch value {
    case .integer(let number): .number(Double(number))
    case .array(let values): .array(values.map(normalized))
    case .object(let members): .object(members.mapValues(normalized))
    default: value
    }
  }

  /// Writes streams in ways that ours does not: large offsets, compression, deltas, slices, extensions.
  static let writeForeign = """
    import sys, pyarrow as pa, pyarrow.ipc as ipc, numpy as np, uuid
    folder = sys.argv[1]
    def write(name, table, **options):
        with ipc.new_stream(f"{folder}/{name}", table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table)
    table = pa.table({
        "n": pa.array([1, None, 3] * 500, pa.int64()), "large": pa.array(["a", None, "ccc"] * 500, pa.large_string()),
        "lists": pa.array([[1], None, [2, 3]] * 500, pa.large_list(pa.int32())),
        "bytes": pa.array([b"x", None, b""] * 500, pa.large_binary()),
        "d": pa.array(["u", "v", None] * 500).dictionary_encode(), "f16": np.array([1, 2, 3] * 500, np.float16)})
    write("plain", table)
    write("sliced", table.slice(7, 999))
    for codec in ("zstd", "lz4"):
        write(codec, table, compression=codec)
    write("old", table, metadata_version=ipc.MetadataVersion.V4)
    write("legacy", table, metadata_version=ipc.MetadataVersion.V4, use_legacy_format=True)
    type = pa.dictionary(pa.int8(), pa.string())
    def part(values): return pa.record_batch([pa.DictionaryArray.from_arrays(pa.array([0, 1, None, len(values) - 1], pa.int8()), pa.array(values))], names=["d"])
    for name, deltas in (("delta", True), ("replace", False)):
        with ipc.new_stream(f"{folder}/{name}", pa.schema([("d", type)]), options=ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)) as writer:
            for values in (["a", "b"], ["a", "b", "c"], ["a", "b", "c", None, "e"]):
                writer.write_batch(part(values))
            if not deltas: writer.write_batch(part(["z", "y"]))
    """

  @Test func whatPyarrowWritesInItsOwnWaysIsRead() throws {
    let directory = TemporaryDirectory()
    _ = try python(Self.writeForeign, [directory.path])
    let options = IPCDecodingOptions(validatesText: true, decompress: BufferCodecs.decompress)
    func rows(_ name: String) throws -> [JSONValue] {
      let bytes = try Files.read(directory.path + "/" + name)
      return try IPCStreamDecoder.decode(bytes, options: options).batches.flatMap(\.allRows)
    }
    let period: [JSONValue] = [
      ["n": 1, "large": "a", "lists": [1], "bytes": "78", "d": "u", "f16": 1.0],
      ["n": .null, "large": .null, "lists": .null, "bytes": .null, "d": "v", "f16": 2.0],
      ["n": 3, "large": "ccc", "lists": [2, 3], "bytes": "", "d": .null, "f16": 3.0],
    ]
    let all = (0..<1_500).map { period[$0 % 3] }
    for name in ["plain", "zstd", "lz4", "old", "legacy"] { #expect(try rows(name) == all, "\(name)") }
    #expect(try rows("sliced") == Array(all[7..<1_006]))
    func dictionary(_ values: [String?]) -> [JSONValue] {
      [values[0], values[1], nil, values[values.count - 1]].map { ["d": $0.map { .string($0) } ?? .null] }
    }
    let grown = dictionary(["a", "b"]) + dictionary(["a", "b", "c"]) + dictionary(["a", "b", "c", nil, "e"])
    #expect(try rows("delta") == grown)
    #expect(try rows("replace") == grown + dictionary(["z", "y"]))
  }

  @Test(arguments: FrameStreamTests.compressions) func zstdAndPyarrowOpenFrames(compression: FrameCompression) throws {
    guard let zstd = Tool.find("zstd") else { return }
    let directory = TemporaryDirectory()
    let batch = Samples.batch(rows: 30_000, seed: 8)
    let encoder = FrameEncoder(compression: compression)
    let other = Samples.batch(rows: 7, seed: 9)
    let parts = [encoder.encode(batch), encoder.encode(other), encoder.encode(.end(frames: 2, rows: 30_007))]
    let frames = Samples.joined(parts.map(\.bytes))
    let plain = try Tool.run(zstd, ["-dc"], input: frames)
    #expect(plain.status == 0, "\(plain.errors)")
    try Files.write(plain.output, to: directory.path + "/x")
    let output = try python(Self.printColumns, [directory.path + "/x"])
    let columns = try JSONValue(parsing: output.bytes).array!
    #expect(columns[0].array![1].array! == batch.columns[1].allValues + other.columns[1].allValues)
  }
}
