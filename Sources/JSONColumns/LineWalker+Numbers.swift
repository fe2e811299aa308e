import Glibc

/// A number's text: `mantissa` × 10^`exponent`, negated or not.
struct NumberText {
  /// The leading digits, as many as fit.
  var mantissa: UInt64
  var exponent: Int
  var isNegative: Bool
  /// Whether digits other than 0 were left out of the mantissa.
  var isCut: Bool
  var end: Int
}

extension LineWalker {
  // MARK: Integers

  /// The integer at `start`, whatever its spelling; nil when the text is no number, no integer or out of range.
  @inline(__always) func integer(_ start: Int, _ at: Int) -> Int64? {
    let isNegative = text[start] == UInt8(ascii: "-")
    let first = start &+ Int(unsafe unsafeBitCast(isNegative, to: UInt8.self))
    let next = tokens[at &+ 1]
    let word = text.word(first)
    let stop = nonDigits(word)
    var magnitude: Int64
    if stop != 0 {
      let count = stop.trailingZeroBitCount &>> 3
      guard count > 0, first &+ count == next else { return otherInteger(start, at) }
      magnitude = digits(word &<< UInt64(64 &- 8 &* count))
      guard count == 1 || text[first] != UInt8(ascii: "0") else { return nil }
    } else {
      let rest = text.word(first &+ 8)
      let count = nonDigits(rest).trailingZeroBitCount &>> 3
      guard count < 8, first &+ 8 &+ count == next, text[first] != UInt8(ascii: "0") else {
        return otherInteger(start, at)
      }
      magnitude = digits(word)
      if count > 0 {
        magnitude = magnitude &* powersOfTen[count] &+ digits(rest &<< UInt64(64 &- 8 &* count))
      }
    }
    return isNegative ? 0 &- magnitude : magnitude
  }

  /// The value of eight digits, the first one lowest; zero bytes count as 0.
  /// - Source: Johnny Lee, "Fast numeric string to int"; Lemire, "Quickly parsing eight digits".
  @inline(__always) func digits(_ word: UInt64) -> Int64 {
    let pairs = ((word & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) &>> 8
    let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
    return Int64(truncatingIfNeeded: ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32)
  }

  @inline(never) func otherInteger(_ start: Int, _ at: Int) -> Int64? {
    guard let number = number(start, at), let magnitude = wholeMagnitude(number) else { return nil }
    if number.isNegative { return magnitude > 1 << 63 ? nil : Int64(truncatingIfNeeded: 0 &- magnitude) }
    return Int64(exactly: magnitude)
  }

  /// The number without its sign, if it is whole and fits.
  func wholeMagnitude(_ number: NumberText) -> UInt64? {
    guard number.mantissa != 0 else { return 0 }
    var (magnitude, exponent) = (number.mantissa, number.exponent)
    if number.isCut { return nil }
    while exponent < 0 {
      guard magnitude % 10 == 0 else { return nil }
      magnitude /= 10
      exponent += 1
    }
    while exponent > 0 {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      magnitude = product
      exponent -= 1
    }
    return magnitude
  }

  // MARK: Any number

  /// The number at `start`, or nil where the text is none.
  /// - Source: RFC 8259, section 6.
  func number(_ start: Int, _ at: Int) -> NumberText? {
    var number = NumberText(
      mantissa: 0, exponent: 0, isNegative: text[start] == UInt8(ascii: "-"), isCut: false, end: start)
    if number.isNegative { number.end += 1 }
    let first = number.end
    takeDigits(&number, isFraction: false)
    guard number.end > first, text[first] != UInt8(ascii: "0") || number.end == first + 1 else { return nil }
    if text[number.end] == UInt8(ascii: ".") {
      number.end += 1
      let fraction = number.end
      takeDigits(&number, isFraction: true)
      guard number.end > fraction else { return nil }
    }
    if text[number.end] | 0x20 == UInt8(ascii: "e"), !takeExponent(&number) { return nil }
    return number.end == tokens[at + 1] || isBlank(text[number.end]) ? number : nil
  }

  private func takeDigits(_ number: inout NumberText, isFraction: Bool) {
    while true {
      let digit = text[number.end] &- UInt8(ascii: "0")
      guard digit < 10 else { return }
      number.end += 1
      let (tens, isFull) = number.mantissa.multipliedReportingOverflow(by: 10)
      let (sum, isOver) = tens.addingReportingOverflow(UInt64(digit))
      if isFull || isOver || number.isCut {
        number.isCut = number.isCut || digit != 0
        if !isFraction { number.exponent += 1 }
      } else {
        number.mantissa = sum
        if isFraction { number.exponent -= 1 }
      }
    }
  }

  private func takeExponent(_ number: inout NumberText) -> Bool {
    number.end += 1
    let sign = text[number.end]
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { number.end += 1 }
    let first = number.end
    var exponent = 0
    while true {
      let digit = text[number.end] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      exponent = min(exponent * 10 + Int(digit), 1_000_000_000)
      number.end += 1
    }
    number.exponent += sign == UInt8(ascii: "-") ? -exponent : exponent
    return number.end > first
  }

  // MARK: Floats

  /// The nearest double, ties to even; nil when the text is no number or overflows.
  /// - Source: Clinger, "How to read floating point numbers accurately": exact below 2^53 and 10^22.
  func double(_ start: Int, _ at: Int) -> Double? {
    guard let number = number(start, at) else { return nil }
    if let exact = exactDouble(number) { return exact }
    let value = unsafe strtod(UnsafeRawPointer(text.pointer(start)).assumingMemoryBound(to: CChar.self), nil)
    return value.isFinite ? value : nil
  }

  private func exactDouble(_ number: NumberText) -> Double? {
    guard !number.isCut, number.mantissa < 1 << 53, (-22...22).contains(number.exponent) else { return nil }
    var value = Double(number.mantissa)
    if number.exponent < 0 {
      value /= Self.exactPowers[-number.exponent]
    } else {
      value *= Self.exactPowers[number.exponent]
    }
    return number.isNegative ? -value : value
  }

  private static let exactPowers: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// The nearest float, rounded once.
  func float(_ start: Int, _ at: Int) -> Float? {
    guard let number = number(start, at) else { return nil }
    // A double that is not half-way between two floats rounds to the float that the text itself rounds to.
    if let exact = exactDouble(number), exact.bitPattern & 0x1FFF_FFFF != 0x1000_0000,
      abs(exact) >= 0x1p-126 || exact == 0
    {
      let value = Float(exact)
      return value.isFinite ? value : nil
    }
    let value = unsafe strtof(UnsafeRawPointer(text.pointer(start)).assumingMemoryBound(to: CChar.self), nil)
    return value.isFinite ? value : nil
  }
}
