import JSONText
import TestSupport

/// The programs in `peers`, run by the Python that has the other engines.
enum Peer {
  static var isPresent: Bool { SharedData.python != nil }
  static let folder = SharedData.packageRoot + "/Tests/InteropTests/peers"

  /// Runs `peers/PROGRAM.py`, which prints JSON.
  static func run(_ program: String, _ arguments: String...) throws -> JSONValue {
    let text = try TestSupport.run([SharedData.python!] + pythonArguments(file: "\(folder)/\(program).py") + arguments)
    return try JSONValue(parsing: text)
  }
}

extension JSONValue {
  /// Without members that are null: whether a null is written or left out does not matter.
  var withoutNulls: JSONValue {
    switch self {
    case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues(\.withoutNulls))
    case .array(let values): .array(values.map(\.withoutNulls))
    default: self
    }
  }
}
