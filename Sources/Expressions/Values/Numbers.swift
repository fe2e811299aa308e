extension Double {
  /// As CEL writes it: the fewest digits that give it back, with an exponent below 1e-4 and from 1e21.
  var celText: String {
    if isNaN { return "NaN" }
    if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
    if self == 0 { return sign == .minus ? "-0" : "0" }
    let (digits, exponent) = magnitude.shortestDigits
    let sign = self < 0 ? "-" : ""
    if exponent < -4 || exponent >= 21 {
      let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
      let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + digits.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + power
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
    let whole = digits.prefix(exponent + 1)
    let zeroes = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    let fraction = digits.dropFirst(exponent + 1)
    return sign + whole + zeroes + (fraction.isEmpty ? "" : "." + fraction)
  }

  /// The significant digits and the power of ten of the first.
  private var shortestDigits: (digits: String, exponent: Int) {
    let parts = description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 && mantissa[1] != "0" ? mantissa[1] : ""
    var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count - 1
    var digits = String(mantissa[0] + fraction)
    while digits.first == "0", digits.count > 1 {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.last == "0", digits.count > 1 { digits.removeLast() }
    return (digits, exponent)
  }

  /// Parses a decimal number, NaN or an infinity; nil where it is none or too large.
  init?(celText text: String) {
    let word = text.lowercased()
    let unsigned = word.first == "-" || word.first == "+" ? word.dropFirst() : word[...]
    if ["inf", "infinity"].contains(unsigned) {
      self = word.first == "-" ? -.infinity : .infinity
    } else if unsigned == "nan" {
      self = .nan
    } else {
      guard unsigned.utf8.first.map({ $0.isDigit || $0 == UInt8(ascii: ".") }) ?? false,
        unsigned.utf8.allSatisfy({ $0.isDigit || ".e+-".utf8.contains($0) }), let value = Self.decimal(word),
        value.isFinite
      else { return nil }
      self = value
    }
  }

  private static func decimal(_ text: String) -> Double? {
    guard text.utf8.last.map({ $0.isDigit || $0 == UInt8(ascii: ".") }) ?? false else { return nil }
    return Double(text)
  }
}

extension Int64 {
  /// The whole part; nil outside the open range ±2^63, where a double says too little.
  init?(celTruncating value: Double) {
    guard value > -0x1p63, value < 0x1p63 else { return nil }
    self = Int64(value)
  }
}

extension UInt64 {
  /// The whole part; nil where it is negative or not below 2^64.
  init?(celTruncating value: Double) {
    guard value >= 0, value < 0x1p64 else { return nil }
    self = UInt64(value)
  }
}
