import Glibc

extension Buffer {
  /// Why a file could not be mapped: the call that failed, and its `errno`.
  public struct MappingError: Error, CustomStringConvertible {
    public let path: String
    public let call: String
    public let code: Int32

    public var description: String { "\(path): \(call): \(unsafe String(cString: strerror(code)))" }
  }

  /// The bytes of a file, read when they are first touched.
  ///
  /// A file that shrinks meanwhile raises SIGBUS, so map only files that nobody changes once they are complete.
  public init(mapping path: String) throws(MappingError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw MappingError(path: path, call: "open", code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw MappingError(path: path, call: "fstat", code: errno)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      self = .empty
      return
    }
    let memory = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw MappingError(path: path, call: "mmap", code: errno)
    }
    // SAFETY: the mapping is as long as the file was, belongs to the owner alone, and is unmapped with it.
    let owner = unsafe BufferOwner(memory) { memory in unsafe munmap(memory, size) }
    self = unsafe Buffer(owner: owner, byteCount: size)
  }
}
