import Buffers
import Glibc

/// Files mapped into memory.
package enum MappedFile {
  /// The content of a file that nobody changes any more; its pages are read when they are touched.
  package static func open(_ path: String) throws(DeltaError) -> Buffer {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DeltaError(.system(call: "open", errno: errno), place: path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw DeltaError(.system(call: "fstat", errno: errno), place: path)
    }
    let byteCount = Int(status.st_size)
    guard byteCount > 0 else { return .empty }
    guard let base = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), unsafe base != MAP_FAILED
    else {
      throw DeltaError(.system(call: "mmap", errno: errno), place: path)
    }
    // SAFETY: the mapping is as long as the file was, belongs to the owner alone, and is unmapped with it.
    let owner = unsafe BufferOwner(base) { base in unsafe munmap(base, byteCount) }
    return unsafe Buffer(owner: owner, byteCount: byteCount)
  }
}
