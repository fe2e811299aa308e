import CProcessor
import CZlib

/// A page's checksum: CRC-32 as gzip has it, of the page's bytes as stored.
///
/// By multiplication of polynomials where the processor can do that, which is several times faster than zlib's tables.
func pageChecksum(_ bytes: RawSpan) -> UInt32 {
  unsafe bytes.withUnsafeBytes { bytes in
    guard let base = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return 0 }
    var checksum: UInt32 = 0
    let done = unsafe processor_crc32(&checksum, base, bytes.count)
    return UInt32(truncatingIfNeeded: unsafe crc32_z(UInt(checksum), base + done, bytes.count - done))
  }
}
