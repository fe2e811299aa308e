import Arrow
import Definitions

/// The columns that all events have and that rows are selected by.
enum KeyColumn: Int, CaseIterable {
  case ts, seenAt, eventType, eventKey, revision, retracted

  static let count = 6
  /// What tells rows of one event from others, and apart, besides the type and the revision: of most rows it is never looked at.
  static let identities: [KeyColumn] = [.eventKey, .seenAt]

  init?(_ name: String) {
    switch name {
    case SystemColumns.ts: self = .ts
    case SystemColumns.seenAt: self = .seenAt
    case SystemColumns.eventType: self = .eventType
    case SystemColumns.eventKey: self = .eventKey
    case SystemColumns.revision: self = .revision
    case SystemColumns.retracted: self = .retracted
    default: return nil
    }
  }

  var name: String {
    switch self {
    case .ts: SystemColumns.ts
    case .seenAt: SystemColumns.seenAt
    case .eventType: SystemColumns.eventType
    case .eventKey: SystemColumns.eventKey
    case .revision: SystemColumns.revision
    case .retracted: SystemColumns.retracted
    }
  }

  /// The type of its values.
  var type: DataType {
    switch self {
    case .ts, .seenAt: .timestampMicrosUTC
    case .eventType: .utf8
    case .eventKey: .int64
    case .revision: .int32
    case .retracted: .boolean
    }
  }
}

/// A column that is read of rows of many origins.
struct WantedColumn {
  let field: Field
  /// Nil for one that is no key column.
  let key: KeyColumn?

  init(_ field: Field) {
    self.field = field
    key = KeyColumn(field.name)
  }
}

/// Columns that were read of some rows: key columns by their numbers, others by what comes after those.
struct ColumnSlots {
  private var slots: [Int] = []
  private var columns: [ArrowArray] = []

  func contains(_ slot: Int) -> Bool { slots.contains(slot) }

  subscript(slot: Int) -> ArrowArray? {
    get { slots.firstIndex(of: slot).map { columns[$0] } }
    set {
      if let place = slots.firstIndex(of: slot) {
        slots.remove(at: place)
        columns.remove(at: place)
      }
      if let newValue {
        slots.append(slot)
        columns.append(newValue)
      }
    }
  }

  /// Moves all columns into one piece of memory.
  /// - Returns: how many bytes they take, and what else is here.
  mutating func pack() -> Int {
    let packed = PackedColumns(columns)
    columns = packed.columns
    return packed.byteCount + slots.count * MemoryLayout<Int>.stride + 64
  }
}
