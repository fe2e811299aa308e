import Glibc

/// A program that runs beside this one, whose standard output is read to its end.
struct ChildProcess {
  private let process: pid_t
  private let output: Int32

  /// Starts the program that `arguments` names first, looked for in `PATH`.
  /// - Parameter environment: added to this process's own.
  init(_ arguments: [String], environment: [String: String]) throws(AuthoringError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .system("pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    let added = environment.map { "\($0)=\($1)" }
    let inherited = Self.environment.filter { entry in !environment.keys.contains { entry.hasPrefix($0 + "=") } }
    var child: pid_t = 0
    let code = Self.spawn(arguments, added + inherited, output: ends[1], &child)
    guard code == 0 else {
      close(ends[0])
      throw .noPython(code: code)
    }
    (process, output) = (child, ends[0])
  }

  private static var environment: [String] {
    var entries: [String] = []
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      entries.append(unsafe String(cString: entry))
      unsafe next += 1
    }
    return entries
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String], output: Int32, _ child: inout pid_t
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    // SAFETY: both arrays end in nil and hold copies that live until the child has them.
    var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      for index in 0..<arguments.count { unsafe free(argv[index]) }
      for index in 0..<environment.count { unsafe free(envp[index]) }
    }
    return unsafe posix_spawnp(&child, arguments[0], &actions, nil, &argv, &envp)
  }

  /// Reads the output to its end and waits for the program.
  /// - Returns: the output, and the exit status, or the signal that ended it as a negative number.
  func finish(limit: Int, file: String) throws(AuthoringError) -> (output: [UInt8], status: Int32) {
    var bytes: [UInt8] = []
    var error: AuthoringError?
    do throws(AuthoringError) {
      bytes = try readAll(limit: limit, file: file)
    } catch let failure {
      error = failure
      kill(process, SIGKILL)
    }
    close(output)
    let status = wait()
    if let error { throw error }
    return (bytes, status)
  }

  private func readAll(limit: Int, file: String) throws(AuthoringError) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe block.withUnsafeMutableBytes { unsafe read(output, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system("read from python3", code: errno) }
      guard bytes.count + count <= limit else { throw .tooLong(file: file, limit: limit) }
      bytes += block[..<count]
    }
  }

  private func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
  }
}
