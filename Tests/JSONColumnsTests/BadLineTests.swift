import Buffers
import JSONColumns
import TestSupport
import Testing

@Suite struct BadLineTests {
  private static let fields = [
    JSONFieldSpec(path: "k", type: .int64), JSONFieldSpec(path: "s", type: .string),
    JSONFieldSpec(path: "o.l[].v", type: .string),
  ]

  private static let badTexts: [(String, JSONLineFault)] = [
    (#"{"k":1,"s":"x"#, .unclosedString), (#"{"k":1,"s""#, .endsEarly), (#"{"k":1,"#, .endsEarly),
    (#"{"k""#, .endsEarly),
    (#"{"#, .endsEarly), (#"{"o":{"l":[{"v":"x"},"#, .endsEarly), (#"{"z":[[[{"#, .endsEarly),
    (#"{"k":1}{"k":2}"#, .textAfterObject),
    (#"{"k":1} x"#, .textAfterObject), (#"{"a":1}x"#, .textAfterObject), (#"{"a":1}]"#, .textAfterObject),
    ("<html><body>502 Bad Gateway</body></html>", .notAnObject), ("[1]", .notAnObject), ("null", .notAnObject),
    ("7", .notAnObject),
    (#""text""#, .notAnObject), (#"{"k":1,"s":"a"b"}"#, .unclosedString), (#"{"k":1 "s":2}"#, .expectedCommaOrEnd),
    (#"{"k" 1}"#, .expectedColon), (#"{"k":1,}"#, .expectedKey), (#"{k:1}"#, .expectedKey),
    (#"{,"k":1}"#, .expectedKey),
    (#"{"k":01}"#, .invalidNumber), (#"{"k":-}"#, .invalidNumber), (#"{"k":1.}"#, .invalidNumber),
    (#"{"z":1e}"#, .invalidNumber),
    (#"{"z":.5}"#, .invalidNumber), (#"{"z":+1}"#, .invalidNumber), (#"{"z":0x1}"#, .invalidNumber),
    (#"{"z":NaN}"#, .invalidNumber),
    (#"{"z":truE}"#, .invalidValue), (#"{"z":nul}"#, .invalidValue), (#"{"z":falsey}"#, .invalidValue),
    (#"{"z":true"x"}"#, .invalidValue),
    (#"{"z":12"x"}"#, .invalidNumber), (#"{"z":"x"12}"#, .expectedCommaOrEnd), (#"{"z":[1,2}"#, .expectedCommaOrEnd),
    (#"{"z":[1,]}"#, .invalidNumber), (#"{"z":{"a":1]}"#, .expectedCommaOrEnd),
    (#"{"o":{"l":[{"v":"x"}}}"#, .expectedCommaOrEnd),
    (#"{"s":"\x"}"#, .invalidEscape), (#"{"z":"\u12G4"}"#, .invalidEscape), (#"{"z":["\u12"]}"#, .invalidEscape),
    (#"{"\q":1}"#, .invalidEscape),
    (#"{"z":{"\q":1}}"#, .invalidEscape), ("{\"z\":\"a\u{01}b\"}", .controlCharacter),
    ("{\"z\":\"a\tb\"}", .controlCharacter),

    ("\u{FEFF}{}", .notAnObject),
  ]

  private static let badBytes: [([UInt8], JSONLineFault)] = [
    ([0x7B, 0x22, 0x7A, 0x22, 0x3A, 0x22, 0xFF, 0x22, 0x7D], .notUTF8), ([0x7B, 0x22, 0xC3, 0x22, 0x7D], .notUTF8),
    ([0x00], .notAnObject), ([0x7B, 0x7D, 0x00], .textAfterObject),
  ]

  /// Lines that are no JSON object, and what is wrong with them.
  static let bad: [([UInt8], JSONLineFault)] = {
    let brackets = String(repeating: "[", count: 1_025) + String(repeating: "]", count: 1_025)
    let texts = badTexts + [("{\"z\":\(brackets)}", .tooDeep)]
    return texts.map { (Array($0.0.utf8), $0.1) } + badBytes
  }()

  private func good(_ number: Int) -> String {
    #"{"k":\#(number),"s":"text \#(number)","o":{"l":[{"v":"\#(number)"}]},"z":[1,{"y":"\n"}]}"#
  }

  private func expected(_ number: Int) -> String { #"{"k":\#(number),"s":"text \#(number)","o.l[].v":["\#(number)"]}"# }

  @Test func aBadLineCostsNoNeighbour() throws {
    for (index, (line, fault)) in Self.bad.enumerated() {
      var text = Array("\(good(1))\n\(good(2))\n".utf8)
      let offset = text.count
      text += line
      text += Array("\n\(good(3))\n\(good(4))".utf8)
      let result = try decode(text, Self.fields, byteOffset: 1_000, firstLine: 11)
      #expect(lines(result.batch) == [1, 2, 3, 4].map(expected), "bad line \(index)")
      let rejection = try #require(result.rejections.first)
      #expect(rejection.byteOffset == 1_000 + offset && rejection.line == 13 && rejection.byteCount == line.count)
      #expect(rejection.fault == fault, "bad line \(index): \(rejection)")
      #expect(result.rejections.count == 1 && result.lineCount == 5 && result.mismatches == [0, 0, 0])
    }
  }

  @Test func badLinesAnywhereLeaveEveryGoodOne() throws {
    var random = SeededRandom(seed: 3)
    for round in 0..<12 {
      var text: [UInt8] = []
      var goodLines: [String] = []
      var places: [(offset: Int, line: Int)] = []
      for line in 1...Int.random(in: 1...3_000, using: &random) {
        if Int.random(in: 0..<(round % 4 == 0 ? 3 : 300), using: &random) == 0 {
          places.append((text.count, line))
          text += Self.bad.randomElement(using: &random)!.0
        } else {
          goodLines.append(expected(line))
          text += Array(good(line).utf8)
        }
        text += line % 7 == 0 ? [0x0D, 0x0A] : [0x0A]
      }
      let whole = try decode(text, Self.fields)
      #expect(lines(whole.batch) == goodLines)
      #expect(whole.rejections.map(\.byteOffset) == places.map(\.offset))
      #expect(whole.rejections.map(\.line) == places.map(\.line))
    }
  }

  @Test(arguments: [1, 2, 7, 63, 64, 65, 100, 1_000, 5_000])
  func blocksOfAnySizeGiveTheSame(lineCount: Int) throws {
    var text: [UInt8] = []
    for line in 1...2_000 {
      text += line % 13 == 0 ? Self.bad[line % Self.bad.count].0 : Array(good(line).utf8)
      text.append(0x0A)
    }
    let whole = try decode(text, Self.fields)
    let decoder = try JSONColumnsDecoder(Self.fields)
    var (offset, line) = (0, 1)
    while offset < text.count {
      var end = offset
      for _ in 0..<lineCount where end < text.count { end = text[end...].firstIndex(of: 0x0A)! + 1 }
      decoder.decode(Buffer(Array(text[offset..<end])), byteOffset: offset, firstLine: line)
      line += min(lineCount, 2_001 - line)
      offset = end
    }
    let parts = decoder.take()
    #expect(parts.rejections == whole.rejections)
    #expect(lines(parts.batch) == lines(whole.batch))
  }

  @Test func linesThatNeverCloseTakeLinearTime() throws {
    for start in [#"{"z":["#, #"{"o":{"l":["#, #"{"o":"#, #"{"z":1,"#, #"{"z":{"a":1,"#, "[", "{", #"{"o":{"l":[1,"#] {
      let count = 200_000 / start.utf8.count
      let result = try decode(String(repeating: start + "\n", count: count), Self.fields)
      #expect(result.rejections.count == count)
    }
  }

  @Test func aLineMayBeLongButNotLongerThanTheLimit() throws {
    let decoder = try JSONColumnsDecoder(Self.fields, maximumLineByteCount: 300_000)
    func text(_ count: Int) -> String { "{\"s\":\"\(String(repeating: "x", count: count))\"}\n" }
    decoder.decode(Buffer(Array("\(text(200_000))\(text(400_000))\(good(3))".utf8)))
    let result = decoder.take()
    #expect(result.batch.rowCount == 2 && result.batch.columns[1].string(0).utf8.count == 200_000)
    #expect(result.rejections.map(\.fault) == [.tooLong] && result.rejections[0].line == 2)
  }

  @Test func blankLinesAndAByteOrderMarkAreSkipped() throws {
    let result = try decode("\u{FEFF}\(good(1))\r\n\r\n  \t\n\n\(good(2)) \r\n \n", Self.fields)
    #expect(lines(result.batch) == [expected(1), expected(2)])
    #expect(result.rejections == [] && result.blankCount == 4 && result.lineCount == 6)
    #expect(try decode("", Self.fields).lineCount == 0)
    #expect(try decode("\n\n", Self.fields).blankCount == 2)
  }

  @Test func noTruncationOrFlippedByteDoesHarm() throws {
    let text = Array((1...12).map(good).joined(separator: "\n").utf8)
    for end in 0...text.count { _ = try decode(Array(text[..<end]), Self.fields) }
    var random = SeededRandom(seed: 5)
    for _ in 0..<400 {
      var copy = text
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let result = try decode(copy, Self.fields)
      #expect(result.batch.rowCount + result.rejections.count + result.blankCount == result.lineCount)
      #expect(result.batch.rowCount >= 3)
    }
  }
}
