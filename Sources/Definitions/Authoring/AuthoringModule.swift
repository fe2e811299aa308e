import Glibc

/// The Python module `seqline`, in which definitions are written.
package struct AuthoringModule: Sendable {
  /// The directory to import it from.
  package let directory: String

  package init(directory: String) { self.directory = directory }

  /// Looks in `SEQLINE_PYTHONPATH`, else where the running command is installed, else in the checkout it was built in.
  package static func find() throws(AuthoringError) -> AuthoringModule {
    let candidates = environment("SEQLINE_PYTHONPATH").map { [$0] } ?? besideExecutable()
    guard let directory = candidates.first(where: { isFile($0 + "/seqline/__main__.py") }) else {
      throw .noModule(looked: candidates)
    }
    return AuthoringModule(directory: directory)
  }

  /// `PREFIX/share/seqline/python`, then `python` in each directory above the executable.
  private static func besideExecutable() -> [String] {
    var directories = executablePath().split(separator: "/").dropLast()
    var candidates = [Self.path(directories.dropLast() + ["share", "seqline", "python"])]
    while directories.popLast() != nil { candidates.append(Self.path(directories + ["python"])) }
    return candidates
  }

  private static func path(_ parts: some Sequence<Substring>) -> String { parts.map { "/\($0)" }.joined() }

  private static func executablePath() -> String {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe readlink("/proc/self/exe", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  private static func isFile(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}

extension AuthoringModule {
  /// Runs a file of definitions and compiles what it declares.
  package func compile(_ file: String) throws(AuthoringError) -> DefinitionSet {
    let text = try declarations(of: file)
    do throws(DefinitionErrors) {
      return try DefinitionSet(compiling: Declarations(parsing: text))
    } catch {
      throw .definitions(error)
    }
  }

  /// What `python3 -m seqline FILE` writes; what the file itself prints goes to standard error.
  package func declarations(of file: String) throws(AuthoringError) -> String {
    guard Self.isFile(file) else { throw .system("\(file): cannot open", code: errno) }
    let python = try ChildProcess(
      ["python3", "-m", "seqline", file], environment: ["PYTHONPATH": searchPath, "PYTHONDONTWRITEBYTECODE": "1"])
    let (output, status) = try python.finish(limit: Self.maximumByteCount, file: file)
    let text = String(decoding: output, as: UTF8.self)
    if text.isEmpty { throw .failed(file: file, status: status) }
    return text
  }

  private static var maximumByteCount: Int { 256 << 20 }

  private var searchPath: String { Self.environment("PYTHONPATH").map { "\(directory):\($0)" } ?? directory }
}
