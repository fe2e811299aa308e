import Buffers
import JSONText

/// A piece of input that could not be used, and why.
package struct DeadLetter: Sendable {
  package var source: String
  package var byteOffset: Int
  /// From 1.
  package var line: Int
  package var reason: String
  /// The line as it came; bytes that are no UTF-8 are repaired.
  package var text: String

  package init(source: String, byteOffset: Int, line: Int, reason: String, text: String) {
    self.source = source
    self.byteOffset = byteOffset
    self.line = line
    self.reason = reason
    self.text = text
  }

  var json: JSONValue {
    [
      "source": .string(source), "byte_offset": .integer(Int64(byteOffset)), "line": .integer(Int64(line)),
      "reason": .string(reason), "text": .string(text),
    ]
  }
}

/// Where rejected lines go: a file of NDJSON, or nowhere but the count.
package struct DeadLetters: ~Copyable {
  private let file: OpenFile?
  private let limit: Int?
  private(set) package var count = 0

  /// - Parameters:
  ///   - path: a file to append to; nil counts only.
  ///   - limit: more rejected lines than this fail the run; nil lets any number pass.
  package init(path: String?, limit: Int?) throws(SystemError) {
    file = if let path { try OpenFile(writing: path, appending: true) } else { nil }
    self.limit = limit
  }

  package mutating func add(_ letters: [DeadLetter]) throws {
    guard !letters.isEmpty else { return }
    count += letters.count
    if let file {
      var text = BufferBuilder()
      for letter in letters { text.append(utf8: letter.json.text + "\n") }
      try file.write(text.bytes)
    }
    if let limit, count > limit { throw TooManyErrors(count: count, limit: limit, first: letters[0]) }
  }
}

/// More lines were rejected than the run allows.
package struct TooManyErrors: Error, CustomStringConvertible {
  package var count: Int
  package var limit: Int
  package var first: DeadLetter

  package var description: String {
    "\(first.source): byte \(first.byteOffset), line \(first.line): \(first.reason); more than \(limit) lines were "
      + "rejected; see the dead letters, or raise --max-errors"
  }
}
