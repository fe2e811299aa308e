import Buffers
import Engine
import Glibc
import TestSupport
import Testing

@Suite struct LineBlocksTests {
  /// Lines of random length, some longer than a block.
  func lines(seed: UInt64, hasLastNewline: Bool) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    var text: [UInt8] = []
    for _ in 0..<200 {
      let length = Int.random(in: 0..<20, using: &random) == 0 ? Int.random(in: 0..<3_000_000, using: &random) : 90
      text.append(contentsOf: repeatElement(UInt8.random(in: 97...122, using: &random), count: length))
      text.append(0x0A)
    }
    if !hasLastNewline { text.append(contentsOf: "end".utf8) }
    return text
  }

  @Test(arguments: [1, 2, 3], [true, false])
  func rangesThatTileAFileTileItsLines(seed: UInt64, hasLastNewline: Bool) throws {
    let text = lines(seed: seed, hasLastNewline: hasLastNewline)
    let path = "/tmp/seqline-lines-\(getpid())-\(seed)-\(hasLastNewline)"
    defer { unsafe unlink(path) }
    do {
      try unsafe OpenFile(writing: path).write(text.span.bytes)
    }
    let file = try OpenFile(reading: path)
    for step in [1 << 20, 700_001, 4 << 20, text.count] {
      var read: [UInt8] = []
      for start in stride(from: 0, to: text.count, by: step) {
        var blocks = try LineBlocks(file, range: start..<min(start + step, text.count))
        while try blocks.next({ lines, byteOffset in
          #expect(byteOffset == read.count)
          #expect(byteOffset == 0 || text[byteOffset - 1] == 0x0A)
          unsafe lines.withUnsafeBytes { unsafe read.append(contentsOf: $0) }
        }) {}
      }
      #expect(read == text)
    }
  }
}
