public import ArgumentParser

/// A number of bytes as people write it: `1000000`, `512M`, `4G`, in powers of 1024.
public struct ByteCount: ExpressibleByArgument, Sendable {
  package var bytes: Int

  package init(_ bytes: Int) { self.bytes = bytes }

  public init?(argument: String) {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    var digits = argument.uppercased()
    let shift = digits.last.flatMap { shifts[$0] } ?? 0
    if shift > 0 { digits.removeLast() }
    guard let number = Int(digits), number >= 0, number.leadingZeroBitCount > shift else { return nil }
    bytes = number << shift
  }

  public var defaultValueDescription: String {
    for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)] where bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }
}
