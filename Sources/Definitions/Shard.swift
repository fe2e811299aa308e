/// A part of a store's users, which one writer at a time adds to.
package struct Shard: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let number: Int

  /// The only one, unless the definitions say more.
  package static let first = Shard(0)

  /// - Precondition: `number` is not negative.
  package init(_ number: Int) {
    precondition(number >= 0, "shard \(number) is negative")
    self.number = number
  }

  /// As directories and partitions name it: `00`, `03`, `127`.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count >= 2, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
      return nil
    }
    self.init(number)
    guard description == text else { return nil }
  }

  package var description: String { number < 10 ? "0\(number)" : "\(number)" }

  package static func < (left: Shard, right: Shard) -> Bool { left.number < right.number }
}
