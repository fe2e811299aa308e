import Buffers
import Glibc

/// Tells one life of a log file from the next.
///
/// A log is rotated by renaming it (the inode stays, the path goes to a new one) or by copying and emptying it (the inode
/// stays, the first line changes); inodes are used again. An inode and the hash of the first line together stay the same
/// for as long as bytes are only added, whatever the file is called.
package struct FileGeneration: Sendable, Hashable {
  /// As much of the first line is hashed.
  static let headLimit = 1024

  package var inode: UInt64
  package var headHash: UInt64
  /// Bytes of the first line that were hashed, its newline not among them.
  var headByteCount: Int

  /// Nil while the first line is neither whole nor as long as the limit.
  init?(_ file: OpenFile, inode: UInt64) throws(SystemError) {
    let head = try file.bytes(at: 0, byteCount: Self.headLimit)
    guard let count = head.bytes.firstNewline ?? (head.byteCount == Self.headLimit ? head.byteCount : nil) else {
      return nil
    }
    self.init(head.slice(0..<count), inode: inode)
  }

  /// Of a file that is one line without a newline.
  init(wholeFile line: Buffer, inode: UInt64) {
    self.init(line.slice(0..<min(line.byteCount, Self.headLimit)), inode: inode)
  }

  private init(_ head: Buffer, inode: UInt64) {
    self.inode = inode
    headByteCount = head.byteCount
    headHash = XXHash64.hash(head.bytes)
  }

  /// Whether the file still begins as it did.
  func holds(for file: OpenFile) throws(SystemError) -> Bool {
    let head = try file.bytes(at: 0, byteCount: headByteCount)
    return head.byteCount == headByteCount && XXHash64.hash(head.bytes) == headHash
  }

  /// The name of the source in positions: `/var/log/app.log#8123.09ab…`, of the path at which it was first seen.
  package func sourceName(path: String) -> String {
    let hash = String(headHash, radix: 16)
    return "\(path)#\(inode).\(String(repeating: "0", count: 16 - hash.count))\(hash)"
  }
}

/// What the system says of a regular file.
struct FileStatus: Equatable {
  var device: UInt64
  var inode: UInt64
  var byteCount: Int
  var modifiedNanos: Int64
  var isRegular: Bool

  private init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    byteCount = Int(status.st_size)
    modifiedNanos = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    isRegular = status.st_mode & S_IFMT == S_IFREG
  }

  init(_ file: OpenFile) throws(SystemError) {
    var status = stat()
    guard unsafe fstat(file.descriptor, &status) == 0 else { throw SystemError("read", file.path) }
    self.init(status)
  }

  /// Nil where there is nothing.
  init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  var id: FileID { FileID(device: device, inode: inode) }
}

/// A file, whatever it is called.
struct FileID: Hashable {
  var device: UInt64
  var inode: UInt64
}
