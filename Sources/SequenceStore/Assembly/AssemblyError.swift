import Arrow
import Engine
import Frames

/// Why events could not be brought into order.
package enum AssemblyError: Error, Equatable {
  case missingColumn(String)
  case columnType(String, found: DataType, expected: String)
  /// A system column holds a null in this row of its batch.
  case nullValue(column: String, row: Int)
  /// The temporary file cannot be made, written or read.
  case spill(SystemError)
  /// A sorted run in a temporary file is damaged.
  case run(FrameError, directory: String)
  /// A data file whose events are merged with others.
  case dataFile(path: String, what: String)
}

extension AssemblyError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missingColumn(let name): "events lack the column '\(name)'; pass them through seq-filter first"
    case .columnType(let name, let found, let expected): "column '\(name)' is \(found) where \(expected) is needed"
    case .nullValue(let column, let row): "column '\(column)' is null in row \(row) of a batch; every event needs it"
    case .spill(let error): "\(error)"
    case .run(let error, let directory): "\(directory): a temporary file of sorted events: \(error)"
    case .dataFile(let path, let what): "\(path): \(what)"
    }
  }
}
