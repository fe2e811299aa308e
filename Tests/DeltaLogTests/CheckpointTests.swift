import Arrow
import Buffers
import DeltaLog
import Glibc
import Parquet
import TestSupport
import Testing

@Suite struct CheckpointTests {
  let directory = TemporaryDirectory()
  static let schema = Schema([Field("n", .int64), Field("p", .utf8)])

  var table: DeltaTable { DeltaTable(path: directory.path + "/t") }

  /// A table of `count` commits, each with a file of two rows in partition `a b/%`.
  func fill(_ table: DeltaTable, count: Int) throws -> Snapshot {
    var metadata = TableMetadata(
      id: DeltaTable.newID(), name: "t", schemaString: try DeltaSchema.text(Self.schema), partitionColumns: ["p"])
    metadata.configuration = ["k": "v"]
    var snapshot = try table.create(metadata)
    for number in 0..<count {
      let actions = try [
        add(Int64(number), to: table), .transaction(AppTransaction(appID: "app", version: Int64(number))),
      ]
      snapshot = try table.commit(CommitProposal(operation: "WRITE", actions: actions), onto: snapshot)
    }
    return snapshot
  }

  func add(_ number: Int64, to table: DeltaTable) throws -> Action {
    var context = ParquetEncoderContext()
    var writer = try ParquetWriter(schema: Schema([Self.schema.fields[0]]))
    try writer.append(
      RecordBatch(Schema([Self.schema.fields[0]]), [ArrowArray(.int64, [number, nil] as [Int64?])]), using: &context)
    let schema = writer.schema
    let summary = try writer.finish(using: &context)
    var bytes = BufferBuilder()
    for buffer in summary.bytes { bytes.append(buffer) }
    let folder = "p=" + PathEncoding.directoryValue("a b/%")
    unsafe mkdir("\(table.path)/\(folder)", 0o700)
    try LogStorage(directory: "\(table.path)/\(folder)").replace("\(number).parquet", bytes.finish())
    return .add(
      AddFile(
        path: PathEncoding.encode(path: "\(folder)/\(number).parquet"), partitionValues: ["p": "a b/%"],
        byteCount: Int64(summary.byteCount), modificationMillis: DeltaTable.nowMillis(),
        statistics: FileStatistics(footer: summary.metadata, schema: schema).text))
  }

  func removeLog(_ table: DeltaTable, _ names: [String]) {
    for name in names { unsafe unlink("\(table.path)/_delta_log/\(name)") }
  }

  @Test func aCheckpointEveryTenCommitsStandsForThem() throws {
    let written = try fill(table, count: 12)
    let before = try table.snapshot()
    removeLog(table, (0..<10).map { "0000000000000000000\($0).json" })
    let after = try table.snapshot()
    #expect(after.files.map(\.path) == written.files.map(\.path))
    #expect(after.files.map(\.statistics) == before.files.map(\.statistics))
    #expect(after.files.map(\.partitionValues) == before.files.map(\.partitionValues))
    #expect(after.metadata == before.metadata && after.tableProtocol == before.tableProtocol)
    #expect(after.transactions["app"]?.version == 11)
    #expect(after.rowCount == 24)
    #expect(try table.snapshot(at: 10).files.count == 10)
    #expect(throws: DeltaError.self) { try table.snapshot(at: 9) }
    #expect(try table.batches(of: after).reduce(0) { $0 + $1.rowCount } == 24)
    #expect(SharedData.exists("\(table.path)/_delta_log/_last_checkpoint"))
  }

  @Test func removedFilesAreRememberedForVacuum() throws {
    let full = try fill(table, count: 3)
    let removes = full.files.dropFirst().map { Action.remove(RemoveFile($0, deletionMillis: DeltaTable.nowMillis())) }
    let fewer = try table.commit(CommitProposal(operation: "DELETE", actions: Array(removes)), onto: full)
    try table.writeCheckpoint(fewer)
    removeLog(table, (0..<5).map { "0000000000000000000\($0).json" })
    let after = try table.snapshot()
    #expect(after.files.count == 1 && after.removed.count == 2)
  }

  @Test func aDamagedCheckpointIsAnError() throws {
    _ = try fill(table, count: 10)
    directory.write("PAR1 and no more", to: "t/_delta_log/00000000000000000010.checkpoint.parquet")
    #expect(throws: DeltaError.self) { try table.snapshot() }
  }

  @Test func anotherEngineReadsTheTableAndItsCheckpoint() throws {
    guard let python = SharedData.python else { return }
    _ = try fill(table, count: 12)
    removeLog(table, (0..<10).map { "0000000000000000000\($0).json" })
    let output = try runPython(
      python,
      """
      import sys, deltalake
      t = deltalake.DeltaTable(sys.argv[1])
      rows = t.to_pyarrow_table().to_pylist()
      print(t.version(), len(t.file_uris()), sum(r["n"] or 0 for r in rows), sorted({r["p"] for r in rows}))
      print(t.get_add_actions(flatten=True).column(0).null_count)
      """, [table.path])
    #expect(output == "12 12 66 ['a b/%']\n0\n")
  }

  @Test func tablesOfAnotherEngineAreReadAndWritten() throws {
    guard let python = SharedData.python else { return }
    let path = directory.path + "/other"
    _ = try runPython(
      python,
      """
      import sys, deltalake, pyarrow as pa
      for i in range(12):
          deltalake.write_deltalake(sys.argv[1], pa.table({"n": pa.array([i, i], pa.int64()), "p": ["x y", None]}),
                                    partition_by=["p"], mode="append")
      t = deltalake.DeltaTable(sys.argv[1]); t.create_checkpoint(); t.optimize.compact()
      """, [path])
    let other = DeltaTable(path: path)
    let snapshot = try other.snapshot()
    #expect(try other.batches(of: snapshot).reduce(0) { $0 + $1.rowCount } == 24)
    let file = try #require(snapshot.files.first)
    let remove = Action.remove(RemoveFile(file, deletionMillis: DeltaTable.nowMillis()))
    _ = try other.commit(CommitProposal(operation: "DELETE", actions: [remove]), onto: snapshot)
    let output = try runPython(
      python, "import sys, deltalake; print(len(deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()))", [path])
    #expect(output == "12\n")
  }
}
