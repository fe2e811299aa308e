import Buffers

/// Files mapped into memory.
package enum MappedFile {
  /// The content of a file that nobody changes any more; its pages are read when they are touched.
  package static func open(_ path: String) throws(DeltaError) -> Buffer {
    do throws(Buffer.MappingError) {
      return try Buffer(mapping: path)
    } catch {
      throw DeltaError(.system(call: error.call, errno: error.code), place: path)
    }
  }
}
