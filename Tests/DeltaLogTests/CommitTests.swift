import Arrow
import DeltaLog
import Glibc
import TestSupport
import Testing

@Suite struct CommitTests {
  let directory = TemporaryDirectory()
  static let schema = Schema([Field("n", .int64), Field("p", .utf8)])

  func makeTable() throws -> (DeltaTable, Snapshot) {
    let table = DeltaTable(path: directory.path + "/t")
    let metadata = TableMetadata(
      id: DeltaTable.newID(), schemaString: try DeltaSchema.text(Self.schema), partitionColumns: ["p"])
    return (table, try table.create(metadata))
  }

  static func add(_ path: String, partition: String = "a") -> Action {
    .add(AddFile(path: path, partitionValues: ["p": partition], byteCount: 1, modificationMillis: 1))
  }

  static func remove(_ path: String) -> Action {
    .remove(RemoveFile(path: path, deletionMillis: DeltaTable.nowMillis()))
  }

  static func write(_ actions: Action..., replacing partitions: [[String: String?]] = []) -> CommitProposal {
    CommitProposal(operation: "WRITE", actions: actions, replacedPartitions: partitions)
  }

  @Test func aCommitIsSeenByTheNextSnapshot() throws {
    let (table, empty) = try makeTable()
    let first = try table.commit(Self.write(Self.add("1"), Self.add("2")), onto: empty)
    let second = try table.commit(Self.write(Self.remove("1"), Self.add("3")), onto: first)
    #expect(second.version == 2)
    #expect(second.files.map(\.path) == ["2", "3"])
    #expect(try table.snapshot().files == second.files)
    #expect(try table.snapshot(at: 1).files == first.files)
    #expect(try table.snapshot(after: empty).files == second.files)
    #expect(throws: DeltaError.self) { try table.snapshot(at: 3) }
  }

  @Test func creatingATableTwiceKeepsTheFirst() throws {
    let (table, empty) = try makeTable()
    let again = try table.create(TableMetadata(id: "other", schemaString: try DeltaSchema.text(Self.schema)))
    #expect(again.metadata.id == empty.metadata.id)
  }

  @Test func anIndependentCommitIsNoConflict() throws {
    let (table, empty) = try makeTable()
    _ = try table.commit(Self.write(Self.add("1")), onto: empty)
    let second = try table.commit(Self.write(Self.add("2")), onto: empty)
    #expect(second.version == 2 && second.files.count == 2)
  }

  static let base: [Action] = [add("1"), .transaction(AppTransaction(appID: "x", version: 5))]
  static let conflicts: [(CommitProposal, CommitProposal, DeltaError.Conflict)] = [
    (write(remove("1")), write(remove("1")), .removedFile(path: "1")),
    (write(add("2")), write(remove("1"), add("3"), replacing: [["p": "a"]]), .addedFile(path: "2")),
    (
      write(.transaction(AppTransaction(appID: "x", version: 6))),
      write(.transaction(AppTransaction(appID: "x", version: 7))),
      .transaction(appID: "x")
    ),
    (write(.tableProtocol(TableProtocol(minReaderVersion: 1, minWriterVersion: 1))), write(add("2")), .protocolChanged),
    (
      write(), write(.transaction(AppTransaction(appID: "x", version: 5))),
      .staleTransaction(appID: "x", version: 5, committed: 5)
    ),
  ]

  @Test(arguments: conflicts)
  func aConflictIsNamed(winner: CommitProposal, loser: CommitProposal, conflict: DeltaError.Conflict) throws {
    let (table, empty) = try makeTable()
    let start = try table.commit(CommitProposal(operation: "WRITE", actions: Self.base), onto: empty)
    _ = try table.commit(winner, onto: start)
    let error = #expect(throws: DeltaError.self) { try table.commit(loser, onto: start) }
    #expect(error?.reason == .conflict(conflict))
    #expect(try table.snapshot().version == 2)
  }

  @Test func aFileAddedToAnotherPartitionIsNoConflict() throws {
    let (table, empty) = try makeTable()
    let start = try table.commit(Self.write(Self.add("1")), onto: empty)
    _ = try table.commit(Self.write(Self.add("2", partition: "b")), onto: start)
    let replaced = try table.commit(Self.write(Self.remove("1"), Self.add("3"), replacing: [["p": "a"]]), onto: start)
    #expect(replaced.files.map(\.path) == ["2", "3"])
  }

  @Test func concurrentCommittersLoseNothing() async throws {
    let (table, _) = try makeTable()
    let (writers, commits) = (4, 8)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          for number in 0..<commits {
            _ = try table.commit { snapshot throws(DeltaError) in
              Self.write(
                Self.add("\(writer)-\(number)"),
                .transaction(AppTransaction(appID: "\(writer)", version: Int64(number))))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let snapshot = try table.snapshot()
    #expect(snapshot.version == Int64(writers * commits))
    #expect(Set(snapshot.files.map(\.path)) == Set((0..<writers).flatMap { w in (0..<commits).map { "\(w)-\($0)" } }))
    #expect(snapshot.transactions.values.allSatisfy { $0.version == Int64(commits - 1) })
  }

  @Test func concurrentReplacementsOfAPartitionLeaveOneOfThem() async throws {
    let (table, _) = try makeTable()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for number in 0..<5 {
            _ = try table.commit { snapshot throws(DeltaError) in
              CommitProposal(
                operation: "WRITE",
                actions: snapshot.files.map { Self.remove($0.path) } + [Self.add("\(writer)-\(number)")],
                replacedPartitions: [["p": "a"]])
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try table.snapshot().files.count == 1)
    #expect(try table.snapshot().version == 20)
  }

  @Test func whatACrashLeavesBehindIsNoCommit() throws {
    let (table, empty) = try makeTable()
    directory.write("{\"add\":", to: "t/_delta_log/.00000000000000000001.json.1.2.tmp")
    #expect(try table.snapshot().version == 0)
    #expect(try table.commit(Self.write(Self.add("1")), onto: empty).version == 1)
  }

  @Test func aMissingCommitIsAnError() throws {
    let (table, empty) = try makeTable()
    _ = try table.commit(Self.write(Self.add("1")), onto: try table.commit(Self.write(Self.add("2")), onto: empty))
    unsafe unlink(directory.path + "/t/_delta_log/00000000000000000001.json")
    let error = #expect(throws: DeltaError.self) { try table.snapshot() }
    #expect(error?.reason == .missingCommit(1))
  }

  @Test func appendOnlyTablesKeepTheirRows() throws {
    let table = DeltaTable(path: directory.path + "/t")
    let metadata = TableMetadata(
      id: "i", schemaString: try DeltaSchema.text(Self.schema), configuration: ["delta.appendOnly": "true"])
    let start = try table.commit(Self.write(Self.add("1")), onto: try table.create(metadata))
    let error = #expect(throws: DeltaError.self) { try table.commit(Self.write(Self.remove("1")), onto: start) }
    #expect(error?.reason == .unsupportedWriterFeature("appendOnly"))
  }
}
