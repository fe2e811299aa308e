import Buffers

/// Messages of a broker's topic: payloads of whole lines, and where each came from.
package struct MessageBlock: Sendable {
  package struct Message: Sendable {
    /// Where its payload begins in the block.
    package var start: Int
    package var partition: Int32
    package var offset: Int64
    /// What was put into each object before its closing brace, in bytes.
    package var addedByteCount: Int

    package init(start: Int, partition: Int32, offset: Int64, addedByteCount: Int) {
      self.start = start
      self.partition = partition
      self.offset = offset
      self.addedByteCount = addedByteCount
    }
  }

  /// The name of the topic in positions.
  package var source: String
  package var bytes: Buffer
  /// In the order of the block.
  package var messages: [Message]

  package init(source: String, bytes: Buffer, messages: [Message]) {
    self.source = source
    self.bytes = bytes
    self.messages = messages
  }

  /// The message whose payload holds a byte of the block.
  func message(at byteOffset: Int) -> Message {
    var (low, high) = (0, messages.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if messages[middle].start <= byteOffset { low = middle } else { high = middle }
    }
    return messages[low]
  }

  /// A line of a message as the broker gave it.
  func originalText(_ range: Range<Int>, of message: Message) -> String {
    let line = bytes.slice(range)
    let added = line.byteCount - 1 - message.addedByteCount
    guard message.addedByteCount > 0, added > 0, line.slice(added..<line.byteCount).text.contains(Self.memberStart)
    else {
      return line.text
    }
    return line.slice(0..<added).text + "}"
  }

  /// How the member begins that holds what the broker says of a message.
  private static let memberStart = "\"_kafka\":{"
}
