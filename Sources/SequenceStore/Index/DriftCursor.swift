import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Parquet

/// Walks the rows of data files, a row group at a time.
final class DriftCursor {
  private var paths: ArraySlice<String>
  private let derived: DerivedColumns
  private let names: EventTypeNames
  private var reader: ParquetReader<Buffer>?
  private var nextGroup = 0
  /// The row group at hand; nil at the end.
  private(set) var rows: DriftRows?
  /// The row of `rows` at hand.
  private(set) var row = 0

  init(_ paths: [String], _ derived: DerivedColumns, _ names: EventTypeNames) throws {
    self.paths = paths[...]
    self.derived = derived
    self.names = names
    try read()
  }

  func advance() throws {
    row += 1
    if row == rows?.count { try read() }
  }

  /// Takes all rows that are left.
  func takeRest(into digests: inout [EventDigest]) throws {
    while let rows {
      for row in row..<rows.count { digests.append(rows.digest(row)) }
      try read()
    }
  }

  /// Goes on to the next row group that has rows.
  private func read() throws {
    (rows, row) = (nil, 0)
    while rows == nil {
      guard let reader, nextGroup < reader.file.rowGroupCount else {
        guard let path = paths.popFirst() else { return }
        reader = try ParquetReader(try MappedFile.open(path))
        nextGroup = 0
        continue
      }
      let batch = try reader.read(rowGroup: nextGroup)
      nextGroup += 1
      if batch.rowCount > 0 { rows = try DriftRows(batch, reader.file.schema, derived, names) }
    }
  }
}

/// Rows of a data file as drift is measured on them.
struct DriftRows {
  /// The system columns.
  let keys: RecordBatch
  private let identities: [UInt64]
  private let contents: [UInt64]
  private let types: [Int32]

  var count: Int { keys.rowCount }

  init(_ batch: RecordBatch, _ stored: ParquetSchema, _ derived: DerivedColumns, _ names: EventTypeNames) throws {
    let system = SystemColumns.stored(userType: batch[SystemColumns.user]?.type.valueType ?? .int64)
    var columns: [ArrowArray] = []
    for field in system {
      guard let column = derived.column(field.name, of: batch, in: stored)?.decoded(), column.type == field.type else {
        throw StoreError.notEvents(column: field.name, found: nil)
      }
      columns.append(column)
    }
    keys = RecordBatch(Schema(system), columns, rowCount: batch.rowCount)
    types = Self.types(columns[3], names)
    identities = Self.identities(columns[3], columns[4])
    contents = Self.contents(batch, seenAt: columns[2])
  }

  func digest(_ row: Int) -> EventDigest {
    EventDigest(identity: identities[row], content: contents[row], type: types[row])
  }

  /// Names come in runs: only the first of a run is looked up.
  private static func types(_ column: ArrowArray, _ names: EventTypeNames) -> [Int32] {
    var types: [Int32] = []
    types.reserveCapacity(column.count)
    for row in 0..<column.count {
      let isRun = row > 0 && column.isEqual(row - 1, to: column, row)
      types.append(isRun ? types[row - 1] : names.number(column.string(row)))
    }
    return types
  }

  private static func identities(_ types: ArrowArray, _ keys: ArrowArray) -> [UInt64] {
    let (types, keys) = (types.hashes(), keys.hashes())
    let (left, right) = (types.span(of: UInt64.self), keys.span(of: UInt64.self))
    return left.indices.map { Hash64.combine(left[$0], right[$0]) }
  }

  /// Of all columns save what identity covers; a null counts as an absent column, so that a new column without values
  /// changes nothing.
  private static func contents(_ batch: RecordBatch, seenAt: ArrowArray) -> [UInt64] {
    var contents = [UInt64](repeating: 0, count: batch.rowCount)
    let own: Set = [SystemColumns.eventType, SystemColumns.eventKey, SystemColumns.seenAt]
    for (field, column) in zip(batch.schema.fields, batch.columns) where !own.contains(field.name) {
      add(column, field.name, to: &contents)
    }
    add(seenAt, SystemColumns.seenAt, to: &contents)
    return contents
  }

  private static func add(_ column: ArrowArray, _ name: String, to contents: inout [UInt64]) {
    let seed = name.utf8.reduce(UInt64(0)) { Hash64.combine($0, UInt64($1)) }
    let buffer = column.hashes()
    let hashes = buffer.span(of: UInt64.self)
    let hasNulls = column.nullCount > 0
    for row in contents.indices where !hasNulls || column.isValid(row) {
      contents[row] &+= Hash64.combine(seed, hashes[row])
    }
  }
}
