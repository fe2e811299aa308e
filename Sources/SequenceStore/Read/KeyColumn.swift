import Arrow
import Definitions

/// The columns that all events have and that rows are selected by.
enum KeyColumn: Int, CaseIterable {
  case ts, seenAt, eventType, eventKey, revision, retracted

  init?(_ name: String) {
    guard let column = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = column
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

/// Those that were read of some rows.
struct KeyColumns {
  private var columns = [ArrowArray?](repeating: nil, count: KeyColumn.allCases.count)

  subscript(column: KeyColumn) -> ArrowArray? {
    get { columns[column.rawValue] }
    set { columns[column.rawValue] = newValue }
  }
}
