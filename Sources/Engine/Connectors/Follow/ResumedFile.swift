import Glibc

/// How far a store has each source: the offset of the next byte or message, nil where it knows nothing of the source.
package struct SourcePositionLookup: Sendable {
  private let position: @Sendable (_ source: String, _ partition: Int64?) -> Int64?

  package init(_ position: @escaping @Sendable (_ source: String, _ partition: Int64?) -> Int64?) {
    self.position = position
  }

  package subscript(source: String, partition: Int64? = nil) -> Int64? { position(source, partition) }
}

/// A file that a store has some of.
struct ResumedFile {
  var file: OpenFile
  var status: FileStatus
  var knownAs: String
  var offset: Int

  func known(as path: String) -> ResumedFile {
    var file = self
    file.knownAs = path
    return file
  }

  /// The other regular files of the directory, each from its start.
  static func siblings(of path: String) throws(SystemError) -> [ResumedFile] {
    let (directory, _) = FilePattern.split(path)
    var siblings: [ResumedFile] = []
    for sibling in DirectoryNames.of(directory).map({ directory == "/" ? "/" + $0 : directory + "/" + $0 })
    where sibling != path {
      guard FileStatus(path: sibling)?.isRegular == true, let file = try? OpenFile(reading: sibling) else { continue }
      siblings.append(ResumedFile(file: file, status: try FileStatus(file), knownAs: sibling, offset: 0))
    }
    return siblings
  }
}

extension SourcePositionLookup {
  /// Where to go on with an open file, and by which path the store knows it: it may have been renamed since.
  func start(
    of file: OpenFile, _ status: FileStatus, path: String, patterns: [FilePattern]
  ) throws(SystemError) -> ResumedFile? {
    guard let generation = try FileGeneration(file, inode: status.inode) else { return nil }
    for name in Self.earlierPaths(of: path, patterns) {
      if let offset = self[generation.sourceName(path: name)], Int(offset) <= status.byteCount {
        return ResumedFile(file: file, status: status, knownAs: name, offset: Int(offset))
      }
    }
    return nil
  }

  /// Paths that the file at `path` may have had: itself, itself without what rotation appended, and those that are followed.
  private static func earlierPaths(of path: String, _ patterns: [FilePattern]) -> [String] {
    let (directory, name) = FilePattern.split(path)
    let prefix = directory == "/" ? "/" : directory + "/"
    let ends = name.indices.dropFirst().filter { ".-_~".contains(name[$0]) }.reversed()
    let followed = patterns.filter { !$0.isGlob }.map { FilePattern.absolute($0.text) }.filter { $0.hasPrefix(prefix) }
    var seen: Set<String> = []
    return ([path] + ends.map { prefix + name[..<$0] } + followed).filter { seen.insert($0).inserted }
  }

  /// The files that `path` led to before and that the store lacks the rest of, in no order: the newest of which the store
  /// has some, wherever in the directory it is now, and those that were rotated after it.
  ///
  /// - Parameters:
  ///   - path: absolute; it leads to a file of which the store has nothing.
  ///   - id: of that file.
  func rotated(path: String, id: FileID, patterns: [FilePattern]) throws -> [ResumedFile] {
    let candidates = try ResumedFile.siblings(of: path).filter { $0.status.id != id }
    var known: [ResumedFile] = []
    var unknown: [ResumedFile] = []
    for candidate in candidates {
      if let found = try start(of: candidate, formerly: path, inode: id.inode) {
        known.append(found)
      } else if try isUnknown(candidate, patterns) {
        unknown.append(candidate)
      }
    }
    guard let last = known.max(by: { $0.status.modifiedNanos < $1.status.modifiedNanos }) else { return [] }
    let later = unknown.filter { $0.status.modifiedNanos > last.status.modifiedNanos && $0.knownAs.hasPrefix(path) }
    return ([last] + later).filter { $0.offset < $0.status.byteCount }
  }

  /// A file of the directory that was once at `path`, renamed or copied.
  private func start(of sibling: ResumedFile, formerly path: String, inode: UInt64) throws(SystemError) -> ResumedFile?
  {
    guard var generation = try FileGeneration(sibling.file, inode: sibling.status.inode) else { return nil }
    var found = sibling
    found.knownAs = path
    for inode in [sibling.status.inode, inode] {
      generation.inode = inode
      guard let offset = self[generation.sourceName(path: path)], Int(offset) <= sibling.status.byteCount else {
        continue
      }
      found.offset = Int(offset)
      return found
    }
    return nil
  }

  private func isUnknown(_ file: ResumedFile, _ patterns: [FilePattern]) throws(SystemError) -> Bool {
    try start(of: file.file, file.status, path: file.knownAs, patterns: patterns) == nil
  }
}

/// The names in a directory, in their order.
enum DirectoryNames {
  /// None where it cannot be read.
  static func of(_ path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
