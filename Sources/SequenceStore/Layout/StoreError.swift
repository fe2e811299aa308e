import DeltaLog
import Engine
import Glibc
import Parquet

/// Why the store cannot do what was asked of it.
package enum StoreError: Error, CustomStringConvertible {
  /// Not `2026-11-20`, `2026-11-20..2026-11-22` or `all`.
  case invalidRange(String)
  case noSuchDataset(String, known: [String])
  case noSuchColumn(String, dataset: String, known: [String])
  case unknownEventType(String)
  /// A batch that is no events: a system column is missing or has another type.
  case notEvents(column: String, found: String?)
  case mistypedUser(String, wanted: String)
  /// A column of the events that the table has with another type.
  case columnType(dataset: String, column: String, found: String, wanted: String)
  /// A type that no column of a table can have.
  case unsupportedType(dataset: String, column: String, type: String)
  /// The input claims the order (user, ts, event_type, event_key) and breaks it.
  case unsorted(dataset: String, bucket: String)
  /// Events whose system column is not what follows from the column that readers derive it from.
  case notDerived(dataset: String, column: String, source: String)
  /// A batch run replaced days while rows of theirs were being added.
  case horizonMoved(dataset: String)
  /// A data file that is not what its table says.
  case damaged(path: String, what: String)
  /// The work is not wanted any more.
  case stopped
  case assembly(AssemblyError)
  case delta(DeltaError)
  case parquet(ParquetError)
  case system(SystemError)

  package var description: String {
    switch self {
    case .invalidRange(let text):
      "'\(text)' is no range of days; write 2026-11-20, 2026-11-20..2026-11-22 or all"
    case .noSuchDataset(let name, let known):
      "the store has no dataset '\(name)'"
        + (known.isEmpty ? "; it is empty" : "; it has \(known.joined(separator: ", "))")
    case .noSuchColumn(let name, let dataset, let known):
      "dataset '\(dataset)' has no column '\(name)'; it has \(known.joined(separator: ", "))"
    case .unknownEventType(let name): "event type '\(name)' is not in the definitions; compile and publish them first"
    case .notEvents(let column, let found):
      "system column '\(column)' is \(found ?? "missing"); the input must be events, as seq-filter writes them"
    case .mistypedUser(let found, let wanted): "user_id is \(found) where the definitions have \(wanted)"
    case .columnType(let dataset, let column, let found, let wanted):
      "dataset '\(dataset)': column '\(column)' is \(found) where the table has \(wanted); give the column a new name"
    case .unsupportedType(let dataset, let column, let type):
      "dataset '\(dataset)': column '\(column)': type \(type) cannot be stored; derive another type from it"
    case .unsorted(let dataset, let bucket):
      "dataset '\(dataset)': day \(bucket): the input says it is in order of user and time and is not; pipe it through seq-assemble"
    case .notDerived(let dataset, let column, let source):
      "dataset '\(dataset)': some events' \(column) does not follow from their \(source), as the table has it;"
        + " make the events with the definitions that are stored"
    case .horizonMoved(let dataset): "dataset '\(dataset)': days were replaced while rows were being added; try again"
    case .stopped: "stopped before the end"
    case .damaged(let path, let what): "\(path): \(what); replace its day"
    case .assembly(let error): "\(error)"
    case .delta(let error): "\(error)"
    case .parquet(let error): "\(error)"
    case .system(let error): "\(error)"
    }
  }
}

extension StoreError {
  /// An error of a lower module, met at `path`.
  init(_ error: any Error, at path: String) {
    switch error {
    case let error as StoreError: self = error
    case let error as DeltaError: self = .delta(error)
    case let error as ParquetError: self = .parquet(error.located(file: path))
    case let error as AssemblyError: self = .assembly(error)
    case let error as SystemError: self = .system(error)
    default: self = .damaged(path: path, what: "\(error)")
    }
  }

  /// Whether a file was not there: one that a snapshot names goes when newer versions do without it.
  package var isMissingFile: Bool {
    switch self {
    case .delta(let error): if case .system(_, ENOENT) = error.reason { true } else { false }
    case .system(let error): error.code == ENOENT
    default: false
    }
  }
}
