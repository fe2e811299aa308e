import Buffers
import Glibc

/// The `_delta_log` directory of a table on a local file system: whole files are read, and files appear in one step.
///
/// A file is written under a temporary name and synced; it gets its name by link(2), which fails when the name is taken,
/// or by rename(2), which replaces; then the directory is synced. So a crash leaves the old state or the new one.
package struct LogStorage: Sendable {
  /// The `_delta_log` directory.
  package let directory: String

  package init(directory: String) { self.directory = directory }

  /// The names in the directory, in no order; none when there is no directory.
  package func names() throws(DeltaError) -> [String] {
    guard let handle = unsafe opendir(directory) else {
      let code = errno
      if code == ENOENT || code == ENOTDIR { return [] }
      throw failure("opendir", code)
    }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw failure("readdir", errno) }
    return names
  }

  /// The whole file.
  package func read(_ name: String) throws(DeltaError) -> Buffer {
    let path = "\(directory)/\(name)"
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", errno, name) }
    defer { close(descriptor) }
    var bytes = BufferBuilder()
    while true {
      var outcome = 0
      unsafe bytes.appendUnsafely(capacity: 1 << 16) { room in
        repeat {
          outcome = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
        } while outcome < 0 && errno == EINTR
        return max(0, outcome)
      }
      guard outcome >= 0 else { throw failure("read", errno, name) }
      if outcome == 0 { return bytes.finish() }
    }
  }

  /// Makes the file unless the name is taken; answers whether it did.
  package func create(_ name: String, _ bytes: Buffer) throws(DeltaError) -> Bool {
    let temporary = try writeTemporary(bytes, for: name)
    defer { unsafe unlink(temporary) }
    if unsafe link(temporary, "\(directory)/\(name)") != 0 {
      let code = errno
      if code == EEXIST { return false }
      throw failure("link", code, name)
    }
    try syncDirectory()
    return true
  }

  /// Makes or replaces the file.
  package func replace(_ name: String, _ bytes: Buffer) throws(DeltaError) {
    let temporary = try writeTemporary(bytes, for: name)
    guard unsafe rename(temporary, "\(directory)/\(name)") == 0 else {
      let code = errno
      unsafe unlink(temporary)
      throw failure("rename", code, name)
    }
    try syncDirectory()
  }

  /// Makes the directory, and the one it lies in.
  package func makeDirectory() throws(DeltaError) {
    let table = directory.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    for path in [table, directory] where !path.isEmpty {
      guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw DeltaError(.system(call: "mkdir", errno: errno), place: path)
      }
    }
  }

  private func writeTemporary(_ bytes: Buffer, for name: String) throws(DeltaError) -> String {
    let temporary = "\(directory)/.\(name).\(getpid()).\(UInt64.random(in: .min ... .max)).tmp"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("open", errno, name) }
    do throws(DeltaError) {
      defer { close(descriptor) }
      try write(bytes, to: descriptor, name)
      guard fsync(descriptor) == 0 else { throw failure("fsync", errno, name) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    return temporary
  }

  private func write(_ bytes: Buffer, to descriptor: Int32, _ name: String) throws(DeltaError) {
    var position = 0
    while position < bytes.byteCount {
      let rest = bytes.slice(position..<bytes.byteCount)
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write", count == 0 ? EIO : errno, name) }
      position += count
    }
  }

  private func syncDirectory() throws(DeltaError) {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", errno) }
  }

  private func failure(_ call: String, _ code: Int32, _ name: String? = nil) -> DeltaError {
    DeltaError(.system(call: call, errno: code), place: name.map { "\(directory)/\($0)" } ?? directory)
  }
}
