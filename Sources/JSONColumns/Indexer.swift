import CSimdJSON
import Glibc

/// The ends of a chunk's lines.
@safe struct LineView {
  // SAFETY: `base` points to `count` entries in the indexer, which outlives the walk.
  private let base: UnsafePointer<UInt32>
  let count: Int
  /// What the offsets count from.
  private let origin: Int

  init(_ base: UnsafePointer<UInt32>, count: Int, origin: Int = 0) {
    unsafe self.base = base
    (self.count, self.origin) = (count, origin)
  }

  /// The offset of the line's newline.
  @inline(__always) func end(_ line: Int) -> Int {
    Int(truncatingIfNeeded: unsafe base[line] & 0x7FFF_FFFF) &- origin
  }

  /// Whether a backslash lies in the line.
  @inline(__always) func isEscaped(_ line: Int) -> Bool { unsafe base[line] >> 31 == 1 }

  /// One line alone, its offsets counted from `start`.
  func single(_ line: Int, from start: Int) -> LineView { unsafe LineView(base + line, count: 1, origin: start) }
}

/// Indexes chunks of text: where tokens begin and lines end.
@safe final class Indexer {
  // SAFETY: owns what its pointers point to; the views it hands out are used up before the next chunk.
  private let indexer: OpaquePointer
  private var ends: UnsafeMutablePointer<UInt32>
  private var endCapacity = 0
  private(set) var padded: UnsafeMutablePointer<UInt8>
  private var paddedCapacity = 0

  init() {
    guard let indexer = unsafe sl_indexer_create() else { fatalError("out of memory for a JSON index") }
    unsafe self.indexer = indexer
    unsafe ends = .allocate(capacity: 1)
    unsafe padded = .allocate(capacity: 1)
  }

  deinit {
    unsafe sl_indexer_free(indexer)
    unsafe ends.deallocate()
    unsafe padded.deallocate()
  }

  /// Copies text to `padded`, adds a missing newline, and answers how long that is.
  func copy(_ text: UnsafePointer<UInt8>, _ byteCount: Int) -> Int {
    if byteCount + 65 > paddedCapacity {
      unsafe padded.deallocate()
      paddedCapacity = byteCount + 65
      unsafe padded = .allocate(capacity: paddedCapacity)
    }
    unsafe memcpy(padded, text, byteCount)
    let hasNewline = unsafe text[byteCount - 1] == 0x0A
    unsafe memset(padded + byteCount, 0x0A, 65)
    return hasNewline ? byteCount : byteCount + 1
  }

  func lines(_ text: UnsafePointer<UInt8>, _ byteCount: Int) -> LineView {
    if byteCount > endCapacity {
      unsafe ends.deallocate()
      endCapacity = byteCount
      unsafe ends = .allocate(capacity: byteCount)
    }
    let count = unsafe sl_index_lines(text, byteCount, ends)
    return unsafe LineView(ends, count: count)
  }

  /// Indexes the tokens of text that ends in a newline; answers why it cannot.
  func run(_ text: UnsafePointer<UInt8>, _ byteCount: Int) -> JSONLineFault? {
    switch unsafe sl_indexer_run(indexer, text, byteCount) {
    case SL_INDEX_OK: nil
    case SL_INDEX_NOT_UTF8: .notUTF8
    case SL_INDEX_CONTROL_CHARACTER: .controlCharacter
    case SL_INDEX_OUT_OF_MEMORY: .outOfMemory
    default: .unclosedString
    }
  }

  /// How many tokens there are.
  var tokenCount: Int { unsafe sl_indexer_token_count(indexer) }

  var tokens: TokenView { unsafe TokenView(sl_indexer_tokens(indexer)) }
}
