import Buffers
import Engine
import Glibc
import SequenceStore
import Synchronization
import TestSupport

/// A disk in memory that does what real ones do at their worst: a crash loses what was not synced, or a part of it, and
/// room runs out.
final class SimulatedDisk: LiveFiles {
  /// A file's bytes, and those of them that a crash leaves.
  struct File {
    var bytes: [UInt8] = []
    var synced: [UInt8] = []
    /// Whether the directory that names it was synced.
    var isNamed = false
  }

  struct State {
    var files: [String: File] = [:]
    var locked: Set<String> = []
    /// Bytes that all files together may have.
    var room = Int.max
    /// How many writes and syncs go well before one fails.
    var callsUntilFailure = Int.max
    var hasFailed = false
    /// Counts crashes: files opened before one are gone.
    var generation = 0
    var random: SeededRandom
  }

  let state: Monitor<State>

  init(seed: UInt64) { state = Monitor(State(random: SeededRandom(seed: seed))) }

  func makeDirectory(_ path: String) throws(SystemError) {}

  func names(in directory: String) throws(SystemError) -> [String] {
    state.update { state in
      state.files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.utf8.count + 1)) }
    }
  }

  func open(_ path: String) throws(SystemError) -> any LiveFile {
    let generation = state.update { state in
      if state.files[path] == nil { state.files[path] = File() }
      return state.generation
    }
    return SimulatedFile(self, path, generation)
  }

  func remove(_ path: String) throws(SystemError) { state.update { $0.files[path] = nil } }

  func syncDirectory(_ path: String) throws(SystemError) {
    try change(path, "sync") { state in
      for name in state.files.keys where name.hasPrefix(path + "/") { state.files[name]?.isNamed = true }
    }
  }

  /// Cuts the power: of what was not synced, each file keeps some of its first bytes, or old and new ones mixed.
  func crash() {
    state.update { state in
      for (path, file) in state.files.sorted(by: { $0.key < $1.key }) {
        let isNamed = file.isNamed || Bool.random(using: &state.random)
        state.files[path] = isNamed ? Self.afterCrash(file, &state.random) : nil
      }
      state.locked = []
      (state.callsUntilFailure, state.hasFailed, state.room) = (.max, false, .max)
      state.generation += 1
    }
  }

  private static func afterCrash(_ file: File, _ random: inout SeededRandom) -> File {
    var bytes = file.synced
    let kept = Int.random(in: 0...file.bytes.count, using: &random)
    if kept > bytes.count {
      // The file's size may reach the disk before its content: then there are zeroes.
      let isZero = Int.random(in: 0..<4, using: &random) == 0
      bytes += isZero ? [UInt8](repeating: 0, count: kept - bytes.count) : Array(file.bytes[bytes.count..<kept])
    }
    return File(bytes: bytes, synced: bytes, isNamed: true)
  }

  /// Kills the process: all that was written stays, only the locks go.
  func kill() {
    state.update { state in
      state.locked = []
      (state.callsUntilFailure, state.hasFailed) = (.max, false)
      state.generation += 1
    }
  }

  var room: Int {
    get { state.update { $0.room } }
    set { state.update { $0.room = newValue } }
  }

  func content(_ path: String) -> [UInt8]? { state.update { $0.files[path]?.bytes } }

  var byteCount: Int { state.update { $0.byteCount } }

  /// Runs `body` unless it is time to fail; once a device has failed it stays so.
  func change<R>(
    _ path: String, _ action: String, generation: Int? = nil, _ body: (inout State) throws(SystemError) -> R
  ) throws(SystemError) -> R {
    try state.update { (state: inout State) throws(SystemError) in
      if let generation, generation != state.generation { throw SystemError(action, path, code: EBADF) }
      state.callsUntilFailure -= state.callsUntilFailure == .max ? 0 : 1
      if state.callsUntilFailure < 0 { state.hasFailed = true }
      if state.hasFailed { throw SystemError(action, path, code: EIO) }
      return try body(&state)
    }
  }
}

extension SimulatedDisk.State {
  var byteCount: Int { files.values.reduce(0) { $0 + $1.bytes.count } }
}

private final class SimulatedFile: LiveFile {
  private let disk: SimulatedDisk
  private let path: String
  private let generation: Int
  private let holdsLock = Mutex(false)

  init(_ disk: SimulatedDisk, _ path: String, _ generation: Int) {
    self.disk = disk
    self.path = path
    self.generation = generation
  }

  deinit {
    guard holdsLock.withLock({ $0 }) else { return }
    disk.state.update { state in if state.generation == generation { state.locked.remove(path) } }
  }

  func byteCount() throws(SystemError) -> Int { disk.content(path)?.count ?? 0 }

  func read(at byteOffset: Int, byteCount: Int) throws(SystemError) -> Buffer {
    let bytes = disk.content(path) ?? []
    let start = min(byteOffset, bytes.count)
    return Buffer(Array(bytes[start..<min(start + byteCount, bytes.count)]))
  }

  func write(_ bytes: Buffer, at byteOffset: Int) throws(SystemError) {
    let new = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    try disk.change(path, "write", generation: generation) { state throws(SystemError) in
      var file = state.files[path] ?? SimulatedDisk.File()
      let missing = max(0, byteOffset + new.count - file.bytes.count)
      // As much as there is room for is written.
      let count = new.count - max(0, missing - max(0, state.room - state.byteCount))
      for index in 0..<max(0, count) {
        if byteOffset + index < file.bytes.count {
          file.bytes[byteOffset + index] = new[index]
        } else {
          file.bytes.append(new[index])
        }
      }
      // A sector that is overwritten in place is there at once.
      if new.count == DurableMarker.encodedByteCount { file.synced = file.bytes }
      state.files[path] = file
      if count < new.count { throw SystemError("write", path, code: ENOSPC) }
    }
  }

  func truncate(to byteCount: Int) throws(SystemError) {
    try disk.change(path, "truncate", generation: generation) { state in
      let bytes = state.files[path]?.bytes ?? []
      state.files[path]?.bytes = Array(bytes.prefix(byteCount))
    }
  }

  func sync() throws(SystemError) {
    try disk.change(path, "sync", generation: generation) { state in
      let bytes = state.files[path]?.bytes ?? []
      state.files[path]?.synced = bytes
    }
  }

  func lock() throws(SystemError) -> Bool {
    let isFree = disk.state.update { $0.locked.insert(path).inserted }
    holdsLock.withLock { $0 = isFree }
    return isFree
  }
}
