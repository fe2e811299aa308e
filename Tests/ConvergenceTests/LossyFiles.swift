import Buffers
import Engine
import Glibc
import SequenceStore
import Synchronization
import TestSupport

/// The system's files, below a process that can die between any two calls and a machine whose power can fail.
///
/// Death refuses all calls until `revive`. `cutPower` then takes away what was not synced, as disks do: none, some or
/// all of it. What is left is on the disk.
final class LossyFiles: LiveFiles {
  private struct State {
    /// How many writes, syncs and removals go well before death.
    var callsUntilDeath = Int.max
    var isDead = false
    /// Bytes of each file that outlast a power cut; in place writes of a sector do at once.
    var synced: [String: Int] = [:]
    /// Files whose names outlast it.
    var named: Set<String> = []
  }

  private let system = SystemLiveFiles()
  private let state = Mutex(State())

  /// Dies after so many more calls.
  func die(afterCalls count: Int) { state.withLock { $0.callsUntilDeath = count } }
  func revive() { state.withLock { ($0.callsUntilDeath, $0.isDead) = (.max, false) } }
  var isDead: Bool { state.withLock { $0.isDead } }

  func cutPower(_ random: inout SeededRandom) {
    var left: [String: Int] = [:]
    let state = state.withLock { $0 }
    for (path, synced) in state.synced.sorted(by: { $0.key < $1.key }) {
      guard state.named.contains(path) || Bool.random(using: &random) else {
        unsafe unlink(path)
        continue
      }
      left[path] = cut(path, after: synced, &random)
    }
    self.state.withLock { ($0.synced, $0.named) = (left, Set(left.keys)) }
  }

  /// Leaves some of the bytes that were not synced; answers how long the file is then.
  private func cut(_ path: String, after synced: Int, _ random: inout SeededRandom) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    let byteCount = Int(status.st_size)
    guard byteCount > synced else { return byteCount }
    let left = Int.random(in: synced...byteCount, using: &random)
    unsafe truncate(path, off_t(left))
    // A file's size may reach the disk before its content.
    guard Bool.random(using: &random) else { return left }
    unsafe truncate(path, off_t(byteCount))
    return byteCount
  }

  /// Calls `dying` where death comes in the midst of this call.
  fileprivate func call(_ path: String, dying: () throws(SystemError) -> Void = {}) throws(SystemError) {
    let (isDead, isLast) = state.withLock { state in
      let wasDead = state.isDead
      state.isDead = wasDead || state.callsUntilDeath == 0
      if state.callsUntilDeath != .max, !state.isDead { state.callsUntilDeath -= 1 }
      return (state.isDead, state.isDead && !wasDead)
    }
    if isLast { try dying() }
    if isDead { throw SystemError("use", path, code: EIO) }
  }

  fileprivate func noteSynced(_ path: String, _ byteCount: Int) { state.withLock { $0.synced[path] = byteCount } }

  fileprivate func noteTruncated(_ path: String, _ byteCount: Int) {
    state.withLock { $0.synced[path] = min($0.synced[path] ?? 0, byteCount) }
  }

  func makeDirectory(_ path: String) throws(SystemError) { try system.makeDirectory(path) }
  func names(in directory: String) throws(SystemError) -> [String] { try system.names(in: directory) }

  func open(_ path: String) throws(SystemError) -> any LiveFile {
    try call(path)
    let file = try system.open(path)
    state.withLock { if $0.synced[path] == nil { $0.synced[path] = 0 } }
    return LossyFile(self, path, file)
  }

  func remove(_ path: String) throws(SystemError) {
    try call(path)
    try system.remove(path)
    state.withLock { state in
      state.synced[path] = nil
      state.named.remove(path)
    }
  }

  func syncDirectory(_ path: String) throws(SystemError) {
    try call(path)
    state.withLock { state in state.named.formUnion(state.synced.keys) }
  }
}

private final class LossyFile: LiveFile {
  private let files: LossyFiles
  private let path: String
  private let file: any LiveFile

  init(_ files: LossyFiles, _ path: String, _ file: any LiveFile) {
    self.files = files
    self.path = path
    self.file = file
  }

  func byteCount() throws(SystemError) -> Int { try file.byteCount() }

  func read(at byteOffset: Int, byteCount: Int) throws(SystemError) -> Buffer {
    try file.read(at: byteOffset, byteCount: byteCount)
  }

  func write(_ bytes: Buffer, at byteOffset: Int) throws(SystemError) {
    let isSector = path.hasSuffix("/durable")
    try files.call(path) { () throws(SystemError) in
      if !isSector { try file.write(bytes.slice(0..<bytes.byteCount / 2), at: byteOffset) }
    }
    try file.write(bytes, at: byteOffset)
    if isSector { files.noteSynced(path, bytes.byteCount) }
  }

  func truncate(to byteCount: Int) throws(SystemError) {
    try files.call(path)
    try file.truncate(to: byteCount)
    files.noteTruncated(path, byteCount)
  }

  func sync() throws(SystemError) {
    try files.call(path)
    try file.sync()
    files.noteSynced(path, try file.byteCount())
  }

  func lock() throws(SystemError) -> Bool { try file.lock() }
}
