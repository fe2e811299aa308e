import Engine

/// Why a live log cannot be written.
package enum LiveLogError: Error, Sendable, CustomStringConvertible {
  /// Another writer has it; `holder` is what that one says of itself.
  case locked(path: String, holder: String)
  /// The file is shorter than what was synced of it.
  case lost(path: String, durable: UInt64, found: Int)
  case missing(path: String)
  /// The disk stayed full until the writer was told to end.
  case full(SystemError, frameCount: Int)
  case system(SystemError)

  package var description: String {
    switch self {
    case .locked(let path, let holder):
      "\(path): another seq-index writes this shard: \(holder); stop that one, or give each a --shard of its own"
    case .lost(let path, let durable, let found):
      "\(path): it has \(found) bytes where \(durable) were synced; restore it, or remove 'durable' beside it to go on with"
        + " what is there"
    case .missing(let path):
      "\(path): it is gone, and no table has its rows; restore it, or remove 'durable' beside it to go on without"
    case .full(let error, let frameCount):
      "\(error.path): the disk stayed full; \(frameCount) frames that came last are not stored, nor acknowledged"
    case .system(let error): "\(error)"
    }
  }
}

extension LiveLogError {
  /// - Precondition: `error` is one of these, or the system's.
  init(_ error: any Error) {
    switch error {
    case let error as LiveLogError: self = error
    case let error as SystemError: self = .system(error)
    default: preconditionFailure("\(error)")
    }
  }
}
