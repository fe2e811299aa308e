import Arrow
import ArrowKernels
import Buffers
import JSONText
import SequenceStore
import TestSupport
import Testing

@Suite struct AssemblerTests {
  private func assemble(_ batches: [RecordBatch], _ options: AssemblyOptions) throws -> ([RecordBatch], AssemblyCounts)
  {
    var assembler = Assembler(options)
    for batch in batches { try assembler.append(batch) }
    var output: [RecordBatch] = []
    let counts = try assembler.finish { output.append($0) }
    return (output, counts)
  }

  @Test(arguments: [DataType.int64, .utf8], [0, 1, 10, 300, 2_000])
  func eachEventIsLeftOnceInOrder(userType: DataType, count: Int) throws {
    for seed: UInt64 in 1...4 {
      let events = EventFixture(count: count, userType: userType, seed: seed)
      let options = AssemblyOptions(keepsRetractions: seed % 2 == 0, batchRowCount: 100)
      let (output, counts) = try assemble(events.shuffled(seed: seed), options)
      #expect(output.allSatisfy { $0.rowCount <= 100 && $0.rowCount > 0 && $0.schema.metadata["seq.order"] == "user" })
      let rows = output.flatMap(\.allRows)
      #expect(rows == events.expectedRows(keepsRetractions: options.keepsRetractions))
      #expect(counts.rowsIn == count && counts.rowsOut == rows.count && counts.spilledRuns == 0)
    }
  }

  @Test(arguments: [DataType.int64, .utf8], [20_000, 60_000, 150_000])
  func spillingChangesNothing(userType: DataType, memoryLimit: Int) throws {
    let directory = TemporaryDirectory()
    for seed: UInt64 in 1...2 {
      let events = EventFixture(count: 2_500, userType: userType, seed: seed)
      let options = AssemblyOptions(
        memoryLimit: memoryLimit, temporaryDirectory: directory.path, keepsRetractions: false, batchRowCount: 100)
      let (output, counts) = try assemble(events.shuffled(seed: seed), options)
      #expect(counts.spilledRuns > 1)
      #expect(output.flatMap(\.allRows) == events.expectedRows(keepsRetractions: false))
    }
  }

  @Test func moreRunsThanAreMergedAtOnce() throws {
    let directory = TemporaryDirectory()
    let events = EventFixture(count: 4_000, userType: .int64, seed: 4)
    let options = AssemblyOptions(memoryLimit: 1, temporaryDirectory: directory.path, batchRowCount: 64)
    let (output, counts) = try assemble(events.shuffled(seed: 5), options)
    #expect(counts.spilledRuns > 64)
    #expect(output.flatMap(\.allRows) == events.expectedRows(keepsRetractions: true))
  }

  @Test func storedEventsHaveNoRetractions() throws {
    let events = EventFixture(count: 200, userType: .int64, seed: 6, isStored: true)
    let (output, _) = try assemble(events.shuffled(seed: 7), AssemblyOptions())
    #expect(output.flatMap(\.allRows) == events.expectedRows(keepsRetractions: true))
  }

  @Test func outputDictionariesHoldOnlyWhatIsUsed() throws {
    let events = EventFixture(count: 500, userType: .int64, seed: 8)
    let (output, _) = try assemble([events.batch], AssemblyOptions(batchRowCount: 5))
    for batch in output {
      let column = try #require(batch["embedding"])
      #expect(column.children[0].count == Set(column.allValues.filter { !$0.isNull }).count)
    }
  }

  @Test func largeRowsComeInSmallBatches() throws {
    let events = EventFixture(count: 40, userType: .int64, seed: 15).batch
    let long = (0..<40).map { String(repeating: "x", count: 3 << 20) + "\($0)" as String? }
    let large = RecordBatch(
      Schema(events.schema.fields + [Field("page", .utf8)]), events.columns + [ArrowArray(long)])
    let (output, counts) = try assemble([large], AssemblyOptions())
    #expect(output.count > 1 && output.allSatisfy { $0.byteCount <= 100 << 20 })
    #expect(output.reduce(0) { $0 + $1.rowCount } == counts.rowsOut)
  }

  @Test func metadataThatDiffersIsDropped() throws {
    let events = EventFixture(count: 20, userType: .int64, seed: 9).batch
    var schema = events.schema
    schema.metadata["seq.event_type"] = "click"
    let other = RecordBatch(schema, events.columns, rowCount: events.rowCount)
    let (output, _) = try assemble([events, other], AssemblyOptions())
    #expect(output[0].schema.metadata == ["seq.kind": "event", "seq.order": "user"])
  }

  @Test func batchesThatDoNotFitAreRefused() throws {
    let events = EventFixture(count: 3, userType: .int64, seed: 10).batch
    let lacking = RecordBatch(Schema(Array(events.schema.fields.dropFirst())), Array(events.columns.dropFirst()))
    #expect(throws: AssemblyError.missingColumn("user_id")) { try assemble([lacking], AssemblyOptions()) }
    #expect(throws: AssemblyError.missingColumn("user_id")) { try assemble([events, lacking], AssemblyOptions()) }
    let text = EventFixture(count: 3, userType: .utf8, seed: 10).batch
    #expect(throws: AssemblyError.columnType("user_id", found: .utf8, expected: "int64")) {
      try assemble([events, text], AssemblyOptions())
    }
    var columns = events.columns
    columns[1] = ArrowArray(.timestampMicrosUTC, [Int64(1), nil, 2])
    #expect(throws: AssemblyError.nullValue(column: "ts", row: 1)) {
      try assemble([RecordBatch(events.schema, columns)], AssemblyOptions())
    }
  }

  @Test(arguments: [1 << 30, 1])
  func eventTypesMayHaveDifferentColumns(memoryLimit: Int) throws {
    let directory = TemporaryDirectory()
    let system = EventFixture(count: 40, userType: .int64, seed: 13, isStored: true).batch.columns.prefix(6)
    let names = EventFixture(count: 0, userType: .int64, seed: 13, isStored: true).batch.schema.fields.prefix(6)
    func batch(_ rows: Range<Int>, _ more: (Field, ArrowArray)...) -> RecordBatch {
      RecordBatch(
        Schema(names + more.map(\.0)), system.map { $0.slice(rows) } + more.map { $0.1.slice(0..<rows.count) })
    }
    var random = SeededRandom(seed: 14)
    let text = (Field("text", .utf8), random.array(.utf8, count: 20))
    let vector = (Field("vector", EventFixture.embedding), random.array(EventFixture.embedding, count: 20))
    let label = random.array(.dictionary(index: .int8, value: .utf8, isOrdered: false), count: 20)
    let retracted = (Field("retracted", .boolean), ArrowArray([Bool?](repeating: true, count: 10)))
    let batches = [
      batch(0..<10, text), batch(10..<20, vector, (Field("label", label.type), label)), batch(20..<30, retracted),
      batch(30..<40, vector, text),
    ]
    let options = AssemblyOptions(memoryLimit: memoryLimit, temporaryDirectory: directory.path, keepsRetractions: true)
    let (output, _) = try assemble(batches, options)
    let (backwards, _) = try assemble(batches.reversed(), options)
    #expect(output.flatMap(\.allRows) == backwards.flatMap(\.allRows))
    let rows = output.flatMap(\.allRows)
    #expect(rows.allSatisfy { $0.object?.count == 10 && $0["retracted"]?.bool != nil })
    let known = batches.flatMap(\.allRows)
    for row in rows {
      #expect(known.contains { known in known.object!.allSatisfy { row[$0.key] == $0.value } })
    }
    #expect(rows.contains { $0["retracted"] == true } && rows.contains { $0["label"]?.string != nil })
  }

  @Test func aMissingTemporaryDirectoryIsNamed() throws {
    let events = EventFixture(count: 300, userType: .int64, seed: 11)
    let options = AssemblyOptions(memoryLimit: 1, temporaryDirectory: "/nowhere/at/all")
    let error = #expect(throws: AssemblyError.self) { try assemble(events.shuffled(seed: 1), options) }
    #expect(error?.description.hasPrefix("/nowhere/at/all: cannot create a temporary file there: ") == true)
  }
}
