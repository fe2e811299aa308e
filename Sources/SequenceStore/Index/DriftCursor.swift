import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// Walks the events of some files that are in order, merged; of rows at one place the one that holds.
struct DriftCursor {
  private let files: [DriftFileCursor]
  /// Those that stand at the first place; the first of them has the row that holds.
  private var first: [DriftFileCursor] = []

  init(_ files: [DriftFileCursor]) {
    self.files = files
    choose()
  }

  /// The rows at hand; nil at the end.
  var rows: DriftRows? { first.first?.rows }
  /// The row of `rows` at hand.
  var row: Int { first.first?.row ?? 0 }

  mutating func advance() throws {
    for file in first { try file.advance() }
    choose()
  }

  /// Takes all events that are left.
  mutating func takeRest(into digests: inout [EventDigest]) throws {
    while let rows {
      digests.append(rows.digest(row))
      try advance()
    }
  }

  private mutating func choose() {
    first.removeAll(keepingCapacity: true)
    for file in files {
      guard let rows = file.rows else { continue }
      guard let best = first.first, let bestRows = best.rows else {
        first.append(file)
        continue
      }
      let order = OrderCheck.compare(rows.events, file.row, bestRows.events, best.row)
      if order < 0 {
        first = [file]
      } else if order == 0 {
        let holds = rows.standing(file.row) < bestRows.standing(best.row)
        first.insert(file, at: holds ? 0 : first.count)
      }
    }
  }
}

/// Walks the rows of a data file, a batch at a time.
final class DriftFileCursor {
  private let reader: EventFileRows
  private let names: EventTypeNames
  /// The batch at hand; nil at the end.
  private(set) var rows: DriftRows?
  /// The row of `rows` at hand.
  private(set) var row = 0

  /// - Parameter reader: gives out all columns, the system columns first.
  init(_ reader: EventFileRows, _ names: EventTypeNames) throws(AssemblyError) {
    self.reader = reader
    self.names = names
    try read()
  }

  func advance() throws(AssemblyError) {
    row += 1
    if row == rows?.count { try read() }
  }

  private func read() throws(AssemblyError) {
    row = 0
    rows = try reader.next().map { DriftRows($0, names) }
  }
}

/// Rows of a data file as drift is measured on them.
final class DriftRows {
  let events: RecordBatch
  private let identities: [UInt64]
  private let contents: [UInt64]
  /// Hashes of what contents leave out and identity does not cover.
  private let others: [UInt64]
  private let types: [Int32]

  var count: Int { events.rowCount }

  init(_ events: RecordBatch, _ names: EventTypeNames) {
    self.events = events
    types = Self.types(events.columns[3], names)
    let (hashes, keys) = (events.columns[3].hashes(), events.columns[4].hashes())
    identities = types.indices.map {
      Hash64.combine(hashes.load($0, as: UInt64.self), keys.load($0, as: UInt64.self))
    }
    contents = events.contentHashes()
    let rest = events.rowHashes([0, 2, 5])
    others = types.indices.map { rest.load($0, as: UInt64.self) }
  }

  func digest(_ row: Int) -> EventDigest {
    EventDigest(identity: identities[row], content: contents[row] &+ others[row], type: types[row])
  }

  /// Of rows of one event the least holds.
  func standing(_ row: Int) -> (Int64, Int64, UInt64) {
    (
      -Int64(events.columns[5].values.load(row, as: Int32.self)), events.columns[2].values.load(row, as: Int64.self),
      contents[row]
    )
  }

  private static func types(_ column: ArrowArray, _ names: EventTypeNames) -> [Int32] {
    guard let encoded = column.dictionaryEncoded() else { return [] }
    let texts = encoded.children[0]
    let known = (0..<texts.count).map { names.number(texts.string($0)) }
    return (0..<column.count).map { known[encoded.dictionaryIndex($0)] }
  }
}
