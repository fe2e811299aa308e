import Buffers
import Engine
import Glibc
import Parquet

/// The bytes of a data file, read when they are looked at: what was looked at does not stay in memory, as it would in a
/// mapping, and a file that was cut short meanwhile gives an error.
///
/// The file stays open, so that a vacuum cannot take it away, unless so many are in use that others need its place: then it
/// is opened again.
final class DataFileBytes: ByteSource {
  let byteCount: Int
  let path: String
  private let files: SlotCache
  private let opened = CacheSlot<FileBytes>()

  /// - Parameter files: what keeps it open.
  init(_ path: String, _ files: SlotCache) throws(SystemError) {
    (self.path, self.files) = (path, files)
    let bytes = try Self.open(path)
    byteCount = bytes.byteCount
    _ = files.keep(bytes, size: 1, in: opened)
  }

  deinit { files.forget(opened) }

  func read(_ range: Range<Int>) throws -> Buffer { try bytes().read(range) }

  func willRead(_ ranges: ArraySlice<Range<Int>>) { opened.value?.willRead(ranges) }

  private func bytes() throws(SystemError) -> FileBytes {
    if let bytes = opened.value { return bytes }
    return files.keep(try Self.open(path), size: 1, in: opened)
  }

  private static func open(_ path: String) throws(SystemError) -> FileBytes {
    guard let bytes = FileBytes(try OpenFile(reading: path)) else { throw SystemError("read", path, code: ESPIPE) }
    return bytes
  }
}
