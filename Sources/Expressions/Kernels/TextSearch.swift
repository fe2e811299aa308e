import Glibc

func begins(_ text: UnsafeRawBufferPointer, with needle: [UInt8]) -> Bool {
  guard text.count >= needle.count, !needle.isEmpty else { return needle.isEmpty }
  return unsafe needle.withUnsafeBytes { unsafe memcmp(text.baseAddress!, $0.baseAddress!, $0.count) == 0 }
}

func ends(_ text: UnsafeRawBufferPointer, with needle: [UInt8]) -> Bool {
  guard text.count >= needle.count, !needle.isEmpty else { return needle.isEmpty }
  return unsafe needle.withUnsafeBytes {
    unsafe memcmp(text.baseAddress! + text.count - needle.count, $0.baseAddress!, $0.count) == 0
  }
}

func contains(_ text: UnsafeRawBufferPointer, _ needle: [UInt8]) -> Bool {
  guard let first = needle.first, text.count >= needle.count else { return needle.isEmpty }
  var start = 0
  while start + needle.count <= text.count {
    let room = text.count - needle.count + 1 - start
    guard let found = unsafe memchr(text.baseAddress! + start, Int32(first), room) else { return false }
    start = unsafe UnsafeRawPointer(found) - text.baseAddress!
    if unsafe begins(UnsafeRawBufferPointer(rebasing: text[start...]), with: needle) { return true }
    start += 1
  }
  return false
}
