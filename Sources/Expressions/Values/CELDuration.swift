extension CELDuration {
  /// What 64 bits of nanoseconds hold: some 292 years either way.
  func inRange(_ function: String) throws(EvaluationError) -> CELDuration {
    guard Int64(exactly: nanoseconds) != nil else { throw .overflow(function: function) }
    return self
  }

  /// Seconds: `1.5s`.
  package var text: String {
    let (seconds, nanos) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    let fraction = nanos == 0 ? "" : "." + trimmedFraction(Int(nanos))
    return (nanoseconds < 0 ? "-" : "") + "\(seconds)\(fraction)s"
  }

  /// Parses `1h30m`, `-1.5s`, `250ms`: numbers, each with a unit, in any order; or `0`.
  package init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    var total: Int128 = 0
    if bytes.elementsEqual("0".utf8) { bytes = [] } else if bytes.isEmpty { return nil }
    while !bytes.isEmpty {
      guard let part = Self.part(&bytes) else { return nil }
      total += part
      guard total <= Int128(Int64.max) + 1 else { return nil }
    }
    self.init(nanoseconds: isNegative ? -total : total)
    guard Int64(exactly: nanoseconds) != nil else { return nil }
  }

  private static let units: [(name: StaticString, nanoseconds: Int128)] = [
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  /// One number and its unit.
  private static func part(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
    let whole = bytes.prefix(while: \.isDigit)
    bytes = bytes.dropFirst(whole.count)
    var fraction: ArraySlice<UInt8> = []
    if bytes.first == UInt8(ascii: ".") {
      fraction = bytes.dropFirst().prefix(while: \.isDigit)
      bytes = bytes.dropFirst(1 + fraction.count)
    }
    guard whole.count + fraction.count > 0, whole.count <= 19 else { return nil }
    let name = bytes.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
    bytes = bytes.dropFirst(name.count)
    guard let unit = units.first(where: { name.elementsEqual("\($0.name)".utf8) })?.nanoseconds else { return nil }
    return value(whole) * unit + value(fraction.prefix(18)) * unit / power(fraction.prefix(18).count)
  }

  private static func value(_ digits: ArraySlice<UInt8>) -> Int128 {
    digits.reduce(0) { $0 * 10 + Int128($1 - UInt8(ascii: "0")) }
  }

  private static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}
