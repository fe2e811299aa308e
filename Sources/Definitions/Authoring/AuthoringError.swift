import Glibc

/// Why a file of definitions could not be run, or what is wrong with what it declares.
package enum AuthoringError: Error, Sendable, CustomStringConvertible {
  case noModule(looked: [String])
  case noPython(code: Int32)
  case system(String, code: Int32)
  case failed(file: String, status: Int32)
  case tooLong(file: String, limit: Int)
  case definitions(DefinitionErrors)

  package var description: String {
    switch self {
    case .noModule(let looked):
      "the Python module seqline is not in \(list(looked)); set SEQLINE_PYTHONPATH to the directory that holds it"
    case .noPython(let code): "python3 does not start: \(Self.text(code)); install Python 3.9 or later"
    case .system(let action, let code): "\(action): \(Self.text(code))"
    case .failed(let file, let status):
      "\(file): python3 ended with status \(status) and no declarations; run python3 on the file to see why"
    case .tooLong(let file, let limit): "\(file): declares more than \(limit >> 20) MiB; split it"
    case .definitions(let errors): errors.description
    }
  }

  private static func text(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
