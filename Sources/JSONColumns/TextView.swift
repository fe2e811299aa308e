import Glibc

/// Text that the walker reads: readable, whatever it holds, for 64 bytes past the newline that ends it.
@safe struct TextView {
  // SAFETY: the decoder hands out views of a block or of its own padded copy only while it walks them, and checks that
  // the padding is there. The walker reads at token offsets, which lie in the text, and up to 48 bytes after them.
  private let base: UnsafePointer<UInt8>

  init(_ base: UnsafePointer<UInt8>) { unsafe self.base = base }

  subscript(offset: Int) -> UInt8 {
    @inline(__always) get { unsafe base[offset] }
  }

  /// The eight bytes at `offset`, the first one lowest.
  @inline(__always) func word(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafe UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self))
  }

  @inline(__always) func half(_ offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe UnsafeRawPointer(base + offset).loadUnaligned(as: UInt32.self))
  }

  @inline(__always) func pointer(_ offset: Int) -> UnsafePointer<UInt8> { unsafe base + offset }

  /// Whether a backslash lies between two offsets.
  @inline(never) func hasEscape(_ start: Int, _ end: Int) -> Bool {
    unsafe memchr(base + start, Int32(UInt8(ascii: "\\")), end - start) != nil
  }

  func matches(_ bytes: UnsafePointer<UInt8>, _ byteCount: Int, at offset: Int) -> Bool {
    unsafe memcmp(base + offset, bytes, byteCount) == 0
  }

  /// The text of `range` for a message.
  func string(_ range: Range<Int>) -> String {
    unsafe String(decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
  }
}

/// Where the tokens of a text begin, in ascending order, followed by four times the last newline's offset.
@safe struct TokenView {
  // SAFETY: the walker never steps past a token it did not recognise, and a newline is none, so it stops at the sentinels.
  private let base: UnsafePointer<UInt32>

  init(_ base: UnsafePointer<UInt32>) { unsafe self.base = base }

  subscript(token: Int) -> Int {
    @inline(__always) get { Int(truncatingIfNeeded: unsafe base[token]) }
  }
}

/// A fixed number of plain values in memory of their own, changed in place.
@safe struct Table<Element: BitwiseCopyable>: ~Copyable {
  // SAFETY: `base` points to `count` initialised elements that this value alone owns; indices come from the same plan
  // that allotted them.
  private let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    count = elements.count
    unsafe base = .allocate(capacity: max(count, 1))
    for (index, element) in elements.enumerated() { unsafe (base + index).initialize(to: element) }
  }

  deinit { unsafe base.deallocate() }

  var view: TableView<Element> { unsafe TableView(base) }
}

/// A `Table` as the walker sees it.
@safe struct TableView<Element: BitwiseCopyable> {
  // SAFETY: as for `Table`, whose owner outlives every walk.
  let base: UnsafeMutablePointer<Element>

  init(_ base: UnsafeMutablePointer<Element>) { unsafe self.base = base }

  @inline(__always) func advanced(by count: Int) -> TableView { unsafe TableView(base + count) }

  subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(base + index) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe base + index }
  }
}
