import Glibc

/// A program that failed.
public struct ProgramFailure: Error, CustomStringConvertible {
  public var description: String

  public init(description: String) { self.description = description }
}

/// Runs a Python program with `arguments` and answers its standard output.
/// - Throws: `ProgramFailure` when it ends with another code than 0; its standard error is that of the tests.
public func runPython(_ python: String, _ program: String, _ arguments: [String] = []) throws -> String {
  try run([python] + pythonArguments(program) + arguments)
}

/// The interpreter's arguments that run `program`. One that is done leaves without the interpreter's clean-up: pyarrow's
/// threads may outlive it, and then the process aborts after its work was done.
public func pythonArguments(_ program: String) -> [String] {
  ["-c", program + "\nimport os, sys; sys.stdout.flush(); os._exit(0)\n"]
}

/// The interpreter's arguments that run the program in `file`, as `pythonArguments(_:)` does, and let it import its
/// neighbours; its own arguments follow.
public func pythonArguments(file: String) -> [String] {
  pythonArguments(
    """
    import os, runpy, sys
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name='__main__')
    """) + [file]
}

/// Runs a program and answers its standard output.
public func run(_ command: [String]) throws -> String {
  var pipes: [Int32] = [0, 0]
  guard unsafe pipe(&pipes) == 0 else { throw ProgramFailure(description: "pipe: \(errno)") }
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  unsafe posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO)
  unsafe posix_spawn_file_actions_addclose(&actions, pipes[0])
  unsafe posix_spawn_file_actions_addclose(&actions, pipes[1])
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
  defer { while let argument = unsafe arguments.popLast() { unsafe free(argument) } }
  var process = pid_t()
  let status = unsafe posix_spawn(&process, command[0], &actions, nil, &arguments, environ)
  close(pipes[1])
  defer { close(pipes[0]) }
  guard status == 0 else { throw ProgramFailure(description: "\(command[0]): cannot be started: \(status)") }
  var output: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = unsafe read(pipes[0], &block, block.count), count > 0 { output += block[..<count] }
  var outcome: Int32 = 0
  unsafe waitpid(process, &outcome, 0)
  guard outcome == 0 else { throw ProgramFailure(description: "\(command[0]) ended with status \(outcome)") }
  return String(decoding: output, as: UTF8.self)
}
