import Buffers
import CRE2

/// A compiled regular expression of RE2's syntax, as CEL's `matches` demands.
@safe final class Pattern: @unchecked Sendable {
  // SAFETY: RE2 objects may be searched from several threads at once; this one is freed once, at the end.
  private let compiled: OpaquePointer

  init(_ text: String) throws(EvaluationError) {
    var message = [CChar](repeating: 0, count: 256)
    var text = text
    let pattern = text.withUTF8 { bytes in
      unsafe message.withUnsafeMutableBufferPointer { error in
        unsafe bytes.withMemoryRebound(to: CChar.self) { pattern in
          unsafe sl_re2_compile(pattern.baseAddress, pattern.count, error.baseAddress, error.count)
        }
      }
    }
    guard let pattern = unsafe pattern else {
      let used = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw .invalidPattern(String(decoding: used, as: UTF8.self))
    }
    unsafe compiled = pattern
  }

  deinit { unsafe sl_re2_free(compiled) }

  /// Whether it matches anywhere in `text`.
  func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in unsafe matches(UnsafeRawBufferPointer(bytes)) }
  }

  /// Whether it matches anywhere in the UTF-8 `bytes`.
  @unsafe func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe sl_re2_search(compiled, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
  }
}
