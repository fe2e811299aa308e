import Buffers
import JSONText

/// A piece of input that could not be used, and why.
package struct DeadLetter: Sendable {
  /// Where in its source it lies.
  package enum Place: Sendable, Equatable {
    /// A line of text, counted from 1; nil where reading began in the middle.
    case line(Int?, byteOffset: Int)
    /// A line of a message of a broker.
    case message(partition: Int32, offset: Int64)
    /// A row of a table's file, counted from 1.
    case row(Int)
  }

  package var source: String
  package var place: Place
  package var reason: String
  /// The line as it came; bytes that are no UTF-8 are repaired.
  package var text: String

  package init(source: String, place: Place, reason: String, text: String) {
    self.source = source
    self.place = place
    self.reason = reason
    self.text = text
  }

  var json: JSONValue {
    var facts: [String: JSONValue] = ["source": .string(source), "reason": .string(reason), "text": .string(text)]
    switch place {
    case .line(let line, let byteOffset):
      facts["byte_offset"] = .integer(Int64(byteOffset))
      if let line { facts["line"] = .integer(Int64(line)) }
    case .message(let partition, let offset):
      facts["partition"] = .integer(Int64(partition))
      facts["offset"] = .integer(offset)
    case .row(let row): facts["row"] = .integer(Int64(row))
    }
    return .object(facts)
  }

  /// Counts its line from the start of the source, of which so many lines came before; nil: nobody knows how many.
  mutating func add(linesBefore count: Int?) {
    if case .line(let line?, let byteOffset) = place { place = .line(count.map { $0 + line }, byteOffset: byteOffset) }
  }
}

extension DeadLetter.Place: CustomStringConvertible {
  package var description: String {
    switch self {
    case .line(let line, let byteOffset): "byte \(byteOffset)" + (line.map { ", line \($0)" } ?? "")
    case .message(let partition, let offset): "partition \(partition), offset \(offset)"
    case .row(let row): "row \(row)"
    }
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
    "\(first.source): \(first.place): \(first.reason); more than \(limit) lines were "
      + "rejected; see the dead letters, or raise --max-errors"
  }
}
