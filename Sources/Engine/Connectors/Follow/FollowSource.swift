import Buffers
import Frames
import Glibc

/// Follows log files as `tail -F` does: lines that are added, files that are renamed, emptied, replaced, or appear later.
///
/// A line is handed on as soon as its newline is there; blocks grow under load. Of a file that its path no longer leads to
/// the rest is read before its successor is begun. Positions follow what they cover: shortly after input runs dry, else
/// at intervals.
package final class FollowSource: StageSource {
  package struct Options: Sendable {
    /// Begin at the end of the files that are there now; files that appear later are read from their start.
    package var fromEnd = false
    /// Wait for more; else end once all files were read to their end.
    package var waits = true
    /// How long a file is still read after its path led elsewhere and nothing more came, in seconds.
    package var patience = 60.0
    /// Bytes of a block, unless one line is longer.
    package var blockByteCount = StageInput.unitByteCount

    package init() {}
  }

  /// What to tell people: a rotation, a file that is not there yet.
  package typealias Note = (String) -> Void

  private let patterns: [FilePattern]
  private let options: Options
  private let positions: SourcePositionLookup?
  private let note: Note
  private let watcher: FileWatcher
  /// In the order in which they are to be read.
  private var files: [FollowedFile] = []
  /// What each path led to when it last led anywhere.
  private var latest: [String: FollowedFile] = [:]
  /// Of the first lines of all files that were begun: copies of them are not read.
  private var headHashes: Set<UInt64> = []
  private var watchedDirectories: Set<String> = []
  private var isWatched = true
  private var lastRefresh = -Double.infinity
  private var schedule = PositionSchedule()
  /// Of files that were closed.
  private var lastLines: [TextBlock] = []
  /// Which file is looked at next, so that a busy one holds up no other.
  private var turn = 0

  /// Names are looked up anew at such intervals at least, in seconds: not all file systems tell of changes.
  private static let refreshInterval = 0.25
  /// How often files are looked at that the system does not watch, in seconds.
  private static let pollInterval = 0.02

  /// - Parameters:
  ///   - patterns: paths, or globs.
  ///   - positions: how far a store has each source; nil begins without.
  package init(
    _ patterns: [String], options: Options = Options(), positions: SourcePositionLookup? = nil,
    note: @escaping Note = { _ in }
  ) throws {
    self.patterns = patterns.map { FilePattern($0) }
    self.options = options
    self.positions = positions
    self.note = note
    watcher = try FileWatcher()
    try refresh(isFirst: true)
  }

  /// Makes `next` hand out the last positions and end.
  package var stop: (@Sendable () -> Void)? { { [watcher] in watcher.stop() } }
  package var wasStopped: Bool { watcher.isStopped }

  // MARK: Reading

  package func next() throws -> InputUnit? {
    while true {
      let now = Clock.now
      let isStopped = watcher.isStopped
      if let position = schedule.next(now, isStopped ? .end : .busy) { return .position(position) }
      if isStopped { return nil }
      if now - lastRefresh > Self.refreshInterval { try refresh() }
      if let block = try lastLines.popLast() ?? readNext(now) { return .text(block) }
      if !options.waits { return try end(now) }
      if let position = schedule.next(now, .dry) { return .position(position) }
      wait(now)
    }
  }

  /// The next block of any file, each in its turn; nil when all are dry.
  private func readNext(_ now: Double) throws -> TextBlock? {
    for _ in files.indices {
      turn = (turn + 1) % files.count
      let file = files[turn]
      if let block = try read(file, now) { return block }
    }
    return nil
  }

  private func read(_ file: FollowedFile, _ now: Double) throws -> TextBlock? {
    if let predecessor = file.predecessor {
      if let block = try read(predecessor, now) { return block }
      file.predecessor = nil
    }
    while true {
      switch try file.next(limit: options.blockByteCount, now: now) {
      case .nothing: return nil
      case .block(let block):
        if let generation = file.generation { headHashes.insert(generation.headHash) }
        if let position = file.position { schedule.note(position, now: now) }
        return block
      case .truncated: note("\(file.file.path): was emptied; reading from its start")
      case .refused:
        // Of a log's files that a glob finds, old ones may be compressed; what is named, or to be read once, is not left out.
        let isNamed = patterns.contains { !$0.isGlob && $0.text == file.file.path }
        if isNamed || !options.waits { throw NoFollowableText(path: file.file.path) }
        note("\(file.file.path): is no text; left out")
      }
    }
  }

  /// The last lines without a newline, then the last positions, then nil.
  private func end(_ now: Double) throws -> InputUnit? {
    for file in files {
      if let block = try rest(file, now) { return .text(block) }
    }
    return schedule.next(now, .end).map { .position($0) }
  }

  private func rest(_ file: FollowedFile, _ now: Double) throws -> TextBlock? {
    let block = try file.rest(now: now)
    if block != nil, let position = file.position { schedule.note(position, now: now) }
    return block
  }

  private func wait(_ now: Double) {
    var seconds = isWatched ? Self.refreshInterval : Self.pollInterval
    if let due = schedule.due { seconds = min(seconds, max(0, due - now)) }
    let namesChanged = watcher.wait(milliseconds: Int((seconds * 1e3).rounded(.up)))
    if namesChanged || !isWatched { lastRefresh = -.infinity }
  }

  // MARK: Names

  /// Finds out which files the paths lead to.
  private func refresh(isFirst: Bool = false) throws {
    lastRefresh = Clock.now
    var found: [String: FollowedFile] = [:]
    for pattern in patterns {
      watchDirectory(pattern.directory)
      for path in pattern.paths() {
        if let file = try follow(path, pattern, isFirst: isFirst) { found[path] = file }
      }
    }
    if isFirst { try noteMissing(found) }
    for file in latest.values where !found.values.contains(where: { $0 === file }) {
      file.leftAt = file.leftAt ?? Clock.now
    }
    for file in found.values { file.leftAt = nil }
    latest.merge(found) { $1 }
    try dropLeft()
  }

  private func noteMissing(_ found: [String: FollowedFile]) throws(SystemError) {
    for pattern in patterns where !pattern.isGlob && found[pattern.text] == nil {
      guard options.waits else { throw SystemError("open", pattern.text, code: ENOENT) }
      note("\(pattern.text): is not there yet; waiting for it")
    }
  }

  private func watchDirectory(_ path: String) {
    guard !watchedDirectories.contains(path) else { return }
    if watcher.watch(directory: path) { watchedDirectories.insert(path) }
  }

  /// The file that the path leads to, opened if it is new.
  private func follow(_ path: String, _ pattern: FilePattern, isFirst: Bool) throws -> FollowedFile? {
    guard let status = FileStatus(path: path) else { return nil }
    guard status.isRegular else { throw NoRegularFile(path: path) }
    if let known = files.first(where: { $0.id == status.id }) { return known }
    let file: OpenFile
    do { file = try OpenFile(reading: path) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    return try begin(file, path, pattern, isFirst: isFirst)
  }

  private func begin(_ file: OpenFile, _ path: String, _ pattern: FilePattern, isFirst: Bool) throws -> FollowedFile {
    let status = try FileStatus(file)
    if let known = files.first(where: { $0.id == status.id }) { return known }
    var knownAs = FilePattern.absolute(path)
    var offset = 0
    var predecessor = try latest[path].map { try missed(path, id: status.id, after: $0) }
    if let positions, let resumed = try positions.start(of: file, status, path: knownAs, patterns: patterns) {
      (knownAs, offset) = (resumed.knownAs, resumed.offset)
    } else if let positions {
      predecessor = try predecessor ?? rotated(path: knownAs, id: status.id, positions)
    }
    if isFirst, options.fromEnd, offset == 0, predecessor == nil {
      offset = try FollowedFile.endOfWholeLines(file, byteCount: status.byteCount)
    }
    let followed = try FollowedFile(file, status, knownAs: knownAs, offset: offset, now: Clock.now)
    followed.predecessor = predecessor
    add(followed)
    return followed
  }

  private func add(_ file: FollowedFile) {
    file.watch = watcher.watch(file.file)
    if file.watch == nil { isWatched = false }
    if let generation = file.generation { headHashes.insert(generation.headHash) }
    files.append(file)
  }

  /// The files that a path led to between two looks, each after the one before; the last one is answered.
  private func missed(_ path: String, id: FileID, after earlier: FollowedFile) throws -> FollowedFile {
    let siblings = try ResumedFile.siblings(of: path).filter { sibling in
      guard sibling.status.id != id, sibling.knownAs.hasPrefix(path), !isFollowed(sibling.status.id),
        sibling.status.modifiedNanos >= earlier.modifiedNanos,
        let generation = try FileGeneration(sibling.file, inode: sibling.status.inode)
      else { return false }
      return !headHashes.contains(generation.headHash)
    }
    let known = FilePattern.absolute(path)
    return try chain(siblings.map { $0.known(as: known) }, after: earlier) ?? earlier
  }

  /// The files that a path led to before its present one and that the store has not all of.
  private func rotated(path: String, id: FileID, _ positions: SourcePositionLookup) throws -> FollowedFile? {
    let found = try positions.rotated(path: path, id: id, patterns: patterns).filter { !isFollowed($0.status.id) }
    for file in found {
      note("\(path): was rotated to \(file.file.path) meanwhile; reading that from byte \(file.offset)")
    }
    return try chain(found, after: nil)
  }

  private func isFollowed(_ id: FileID) -> Bool { files.contains { $0.id == id } }

  /// Follows files that were left already, oldest first, each after the one before; the last one is answered.
  private func chain(_ left: [ResumedFile], after first: FollowedFile?) throws -> FollowedFile? {
    var last = first
    for found in left.sorted(by: { $0.status.modifiedNanos < $1.status.modifiedNanos }) {
      let file = try FollowedFile(
        found.file, found.status, knownAs: found.knownAs, offset: found.offset, now: Clock.now)
      file.predecessor = last
      file.leftAt = Clock.now
      add(file)
      last = file
    }
    return last
  }

  // MARK: Files that their paths no longer lead to

  /// Closes files that were left and that nothing more was added to.
  private func dropLeft() throws {
    let now = Clock.now
    for file in files {
      guard let leftAt = file.leftAt, now - max(leftAt, file.lastRead) > options.patience,
        !files.contains(where: { $0.predecessor === file })
      else { continue }
      if let line = try rest(file, now) { lastLines.append(line) }
      if let watch = file.watch { watcher.forget(watch) }
      files.removeAll { $0 === file }
      latest = latest.filter { $1 !== file }
    }
  }
}
