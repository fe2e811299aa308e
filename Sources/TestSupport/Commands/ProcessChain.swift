import Glibc
import Synchronization

/// How a process ended.
public enum ProcessEnd: Sendable, Equatable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)

  init(status: Int32) { self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F) }

  public var description: String {
    switch self {
    case .exited(let code): "exit \(code)"
    case .killed(let signal): "signal \(signal)"
    }
  }
}

/// A process that ran to its end.
public struct FinishedProcess: Sendable, CustomStringConvertible {
  /// The program and its arguments.
  public var command: [String]
  public var end: ProcessEnd
  /// What it wrote to standard error.
  public var errors: String
  /// The most memory that was resident at once, as the kernel counts it; seen at intervals of some milliseconds.
  public var peakByteCount: Int

  public var hasSucceeded: Bool { end == .exited(0) }

  public var description: String { "\(command.joined(separator: " ")): \(end), \(peakByteCount >> 20) MiB: \(errors)" }
}

extension [FinishedProcess] {
  public var haveSucceeded: Bool { allSatisfy(\.hasSucceeded) }
}

/// Processes joined by pipes, as a shell joins them, of which each can be killed and is accounted for by itself.
public final class ProcessChain {
  private let commands: [[String]]
  private let folder = TemporaryDirectory()
  private var processes: [pid_t] = []
  private var ends: [ProcessEnd?] = []
  private var peaks: [Int] = []

  /// Starts the processes.
  ///
  /// - Parameters:
  ///   - commands: programs of `PATH`, or paths, with their arguments; the first reads `input`, the last writes `output`.
  ///   - environment: variables to set beside those of the tests.
  public init(
    _ commands: [[String]], input: String = "/dev/null", output: String = "/dev/null",
    environment: [String: String] = [:]
  ) throws {
    self.commands = commands
    let variables = Commands.environment(environment)
    var reading = try Descriptor(opening: input, O_RDONLY)
    for (index, command) in commands.enumerated() {
      try startLock.withLock { _ in
        let isLast = index == commands.count - 1
        let pipe = isLast ? nil : try Descriptor.pipe()
        let writing = try pipe?.writing ?? Descriptor(opening: output, O_WRONLY | O_CREAT | O_TRUNC)
        let errors = try Descriptor(opening: errorFile(index), O_WRONLY | O_CREAT | O_TRUNC)
        processes.append(try start(command, reading, writing, errors, variables))
        if let pipe { reading = pipe.reading }
      }
    }
    ends = Array(repeating: nil, count: commands.count)
    peaks = Array(repeating: 0, count: commands.count)
  }

  deinit {
    for (process, end) in zip(processes, ends) where end == nil {
      Glibc.kill(-process, SIGKILL)
      waitpid(process, nil, 0)
    }
  }

  private func errorFile(_ index: Int) -> String { "\(folder.path)/err\(index)" }

  /// Ends a process at once, and all that it started; without effect when it has ended.
  public func kill(_ index: Int) {
    if ends[index] == nil { Glibc.kill(-processes[index], SIGKILL) }
  }

  /// Sends a signal to a process and all that it started; without effect when it has ended.
  public func signal(_ index: Int, _ signal: Int32) {
    if ends[index] == nil { Glibc.kill(-processes[index], signal) }
  }

  /// Waits for all processes.
  ///
  /// - Parameter seconds: after so long, those that still run are killed.
  public func wait(seconds: Double = 900) -> [FinishedProcess] {
    let deadline = Monotonic.now + seconds
    while !hasEnded {
      sample()
      if Monotonic.now > deadline { for index in processes.indices { kill(index) } }
      usleep(2_000)
    }
    return processes.indices.map { index in
      FinishedProcess(
        command: commands[index], end: ends[index]!,
        errors: String(decoding: SharedData.contents(of: errorFile(index)) ?? [], as: UTF8.self),
        peakByteCount: peaks[index])
    }
  }

  /// Waits so long, or until all processes have ended.
  public func run(seconds: Double) {
    let deadline = Monotonic.now + seconds
    while !hasEnded, Monotonic.now < deadline { usleep(500) }
  }

  /// Whether all processes have ended; takes note of those that have.
  public var hasEnded: Bool {
    for index in processes.indices where ends[index] == nil {
      var status: Int32 = 0
      if unsafe waitpid(processes[index], &status, WNOHANG) == processes[index] {
        ends[index] = ProcessEnd(status: status)
      }
    }
    return !ends.contains(nil)
  }

  private func sample() {
    for index in processes.indices where ends[index] == nil {
      peaks[index] = max(peaks[index], Self.peakByteCount(processes[index]))
    }
  }

  /// `VmHWM` begins anew with each program; `ru_maxrss` would count the process that started it.
  private static func peakByteCount(_ process: pid_t) -> Int {
    let status = String(decoding: SharedData.contents(of: "/proc/\(process)/status") ?? [], as: UTF8.self)
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return (line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
    return 0
  }
}

/// Serialises starts, so that no process inherits a pipe that is not yet marked as ours alone.
private let startLock = Mutex(())

/// Starts a program in a process group of its own, with the default reaction to a broken pipe.
private func start(
  _ command: [String], _ input: Descriptor, _ output: Descriptor, _ errors: Descriptor, _ variables: [String]
) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  for (descriptor, target) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (errors, STDERR_FILENO)] {
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptor.number, target)
  }
  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  unsafe posix_spawnattr_setsigmask(&attributes, &signals)
  unsafe sigaddset(&signals, SIGPIPE)
  unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
  let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
  unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
  var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
  var variables = unsafe variables.map { unsafe strdup($0) } + [nil]
  defer {
    while let text = unsafe arguments.popLast() { unsafe free(text) }
    while let text = unsafe variables.popLast() { unsafe free(text) }
  }
  let program = command[0].contains("/") ? command[0] : program(command[0])
  var process = pid_t()
  let status = unsafe posix_spawn(&process, program, &actions, &attributes, &arguments, &variables)
  guard status == 0 else {
    throw ProgramFailure(description: "\(program): cannot be started: \(unsafe String(cString: strerror(status)))")
  }
  return process
}

/// A command of ours, or a program of the search path.
private func program(_ name: String) -> String {
  SharedData.exists(Commands.path(name)) ? Commands.path(name) : Tool.find(name) ?? name
}

/// A file descriptor that closes itself and is not inherited.
private final class Descriptor {
  let number: Int32

  private init(_ number: Int32) {
    self.number = number
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
  }

  convenience init(opening path: String, _ flags: Int32) throws {
    let number = unsafe open(path, flags | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw ProgramFailure(description: "\(path): cannot be opened") }
    self.init(number)
  }

  static func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
    var ends: [Int32] = [0, 0]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw ProgramFailure(description: "pipe: \(errno)") }
    return (Descriptor(ends[0]), Descriptor(ends[1]))
  }

  deinit { close(number) }
}

/// The monotonic clock, in seconds.
public enum Monotonic {
  public static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
