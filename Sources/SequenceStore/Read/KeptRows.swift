import Arrow
import Buffers

/// What was read of a user's rows in files of a dataset, joined in the order of the files' days, in memory of its own: the
/// files themselves may be closed.
///
/// Later reads take all of them as one source, and open only files that are not among its parts; they look for none in days
/// that are whole and have the same files still.
final class KeptRows: Sendable {
  /// What one file has.
  struct Part: Sendable {
    /// No event of the file is earlier, in microseconds.
    let startMicros: Int64
    private let firstMicros: Int64
    private let lastMicros: Int64
    /// As `StoreFile` numbers itself.
    let file: UInt32
    private let firstRow: Int32
    private let endRow: Int32

    /// - Precondition: `rows` are as few as `limits` says.
    init(file: UInt32, startMicros: Int64, times: ClosedRange<Int64>?, rows: Range<Int>) {
      (self.file, self.startMicros) = (file, startMicros)
      (firstMicros, lastMicros) = (times?.lowerBound ?? 1, times?.upperBound ?? 0)
      (firstRow, endRow) = (Int32(rows.lowerBound), Int32(rows.upperBound))
    }

    /// As the file says.
    var times: ClosedRange<Int64>? { firstMicros <= lastMicros ? firstMicros...lastMicros : nil }
    /// Where its rows are; none: the file has nothing of the user.
    var rows: Range<Int> { Int(firstRow)..<Int(endRow) }
  }

  let dataset: String
  /// The earlier first.
  let parts: [Part]
  /// What is known of its days.
  let days: KeptDays?
  let count: Int
  let columns: ReadColumns
  /// Whether several rows may be of one event.
  let hasRepeats: Bool
  /// Whether what rows are told apart by is among the columns.
  var hasIdentities: Bool { columns.contains(KeyColumn.eventKey.rawValue) }
  /// Whether it is not, and there are rows.
  var lackIdentities: Bool { count > 0 && !hasIdentities }
  /// In memory.
  let byteCount: Int
  /// Of columns besides the key columns, in the order of their slots.
  private let names: [String]

  /// - Parameters:
  ///   - keys: the key columns that are kept; without event keys no two rows are of one event.
  ///   - values: of other columns.
  init(
    _ dataset: String, _ parts: [Part], _ days: KeptDays?, keys: [(KeyColumn, ArrowArray)],
    values: [(Field, ArrowArray)]
  ) {
    (self.dataset, self.parts, self.days, count) = (dataset, parts, days, parts.last?.rows.upperBound ?? 0)
    names = values.map(\.0.name)
    var columns = ReadColumns()
    for (key, column) in keys {
      if key == .eventType {
        let types = CodedTypes(column)
        columns.types = types
        columns.note(types.column, in: key.rawValue)
      } else if key == .seenAt, let times = columns[KeyColumn.ts.rawValue], times.values == column.values {
        columns.note(times, in: key.rawValue)
      } else {
        columns.note(column, in: key.rawValue)
      }
    }
    for (place, value) in values.enumerated() { columns.note(value.1, in: KeyColumn.count + place) }
    let columnByteCount = columns.pack()
    self.columns = columns
    hasRepeats =
      columns.contains(KeyColumn.eventKey.rawValue)
      && columns.values[KeyColumn.eventKey.rawValue].map(Self.haveRepeats) ?? (count > 1)
    byteCount = columnByteCount + parts.count * MemoryLayout<Part>.stride + 256 + (days?.byteCount ?? 0)
  }

  /// The same rows, of which it is known that they are those of other files, too, or of which days they are all.
  init(_ rows: KeptRows, _ parts: [Part], _ days: KeptDays?) {
    (dataset, count, columns, names) = (rows.dataset, rows.count, rows.columns, rows.names)
    (self.parts, self.days, hasRepeats) = (parts, days, rows.hasRepeats)
    byteCount =
      rows.byteCount + (parts.count - rows.parts.count) * MemoryLayout<Part>.stride
      + (days?.byteCount ?? 0) - (rows.days?.byteCount ?? 0)
  }

  private static func haveRepeats(_ keys: Buffer) -> Bool {
    let keys = keys.span(of: Int64.self)
    var known = IdentityTable()
    known.reserve(keys.count, of: keys.count)
    for place in keys.indices {
      if known.add(keys[place], EventCollector.RowID(source: 0, place: Int32(place))) != nil { return true }
    }
    return false
  }

  /// Whether rows that are the same are known to be those of the same files, and of the same days.
  func isSame(as rows: KeptRows) -> Bool {
    parts.elementsEqual(rows.parts) { $0.file == $1.file } && days?.fileSet == rows.days?.fileSet
      && days?.groups == rows.days?.groups
  }

  /// Where a column that is no key column is noted; past all that are when it is not kept.
  func slot(of column: WantedColumn) -> Int {
    KeyColumn.count + (names.firstIndex(of: column.field.name) ?? names.count)
  }

  /// More rows than this are read from pages each time: of one file, and of all.
  static let limits = (file: 1_024, all: 16_384)
}

/// What a collector takes of rows that were kept.
struct KeptSource {
  let rows: KeptRows
  /// Among the collector's sources.
  let index: Int
  /// What is known of the days in the snapshot that is read.
  var days: KeptDays?
  private var cursor: Int

  init(_ rows: KeptRows, index: Int) {
    (self.rows, self.index, days) = (rows, index, rows.days)
    cursor = rows.parts.count
  }

  /// How many rows a group of days has.
  func rowCount(ofGroup group: Int) -> Int {
    let places = days!.parts[group]
    guard let first = places.first else { return 0 }
    return rows.parts[places.upperBound - 1].rows.upperBound - rows.parts[first].rows.lowerBound
  }

  /// Where a file's rows are; nil when it is not among the parts. Files are asked for in about the order of the parts, the
  /// last first.
  mutating func part(of file: StoreFile) -> Range<Int>? {
    var place = cursor
    for _ in rows.parts.indices {
      place = (place == 0 ? rows.parts.count : place) - 1
      if rows.parts[place].file == file.id {
        cursor = place
        return rows.parts[place].rows
      }
    }
    return nil
  }
}
