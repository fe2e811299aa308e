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

extension NumberText {
  /// The number without its sign, if it is whole and fits.
  var wholeMagnitude: UInt64? {
    guard mantissa != 0 else { return 0 }
    var (magnitude, exponent) = (mantissa, exponent)
    if isCut { return nil }
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

  /// The greatest integer not above the number.
  var roundedDown: Int64? {
    var (magnitude, exponent, isCut) = (mantissa, exponent, isCut)
    while exponent < 0, magnitude > 0 {
      if magnitude % 10 != 0 { isCut = true }
      magnitude /= 10
      exponent += 1
    }
    while exponent > 0, magnitude > 0 {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      magnitude = product
      exponent -= 1
    }
    guard let value = Int64(exactly: magnitude) else { return nil }
    return isNegative ? -value - (isCut ? 1 : 0) : value
  }

  /// The nearest double where one rounding finds it.
  /// - Source: Clinger, "How to read floating point numbers accurately": integers below 2^53, powers up to 10^22.
  var exactDouble: Double? {
    guard !isCut, mantissa < 1 << 53, (-22...22).contains(exponent) else { return nil }
    let power = Self.exactPowers[abs(exponent)]
    let value = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
    return isNegative ? -value : value
  }

  private static let exactPowers: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]
}

extension TextView {
  // MARK: Integers

  /// The integer at `start`, whatever its spelling; nil when the text is no number, no integer or out of range.
  /// `next` is the next token's offset.
  @inline(__always) func integer(_ start: Int, before next: Int) -> Int64? {
    let isNegative = self[start] == UInt8(ascii: "-")
    let first = start &+ Int(unsafe unsafeBitCast(isNegative, to: UInt8.self))
    let word = word(first)
    let stop = Self.nonDigits(word)
    var magnitude: Int64
    if stop != 0 {
      let count = stop.trailingZeroBitCount &>> 3
      guard first &+ count == next, count > 0 else { return otherInteger(start, before: next) }
      magnitude = Self.digits(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count))
      guard count == 1 || self[first] != UInt8(ascii: "0") else { return nil }
    } else {
      let count = Self.nonDigits(self.word(first &+ 8)).trailingZeroBitCount &>> 3
      guard first &+ 8 &+ count == next, self[first] != UInt8(ascii: "0") else {
        return otherInteger(start, before: next)
      }
      magnitude = Self.digits(self.word(first &+ count))
      if count > 0 {
        magnitude &+= Self.digits(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)) &* 100_000_000
      }
    }
    return isNegative ? 0 &- magnitude : magnitude
  }

  /// The high bit of each byte that is no digit; exact for the lowest such byte.
  @inline(__always) static func nonDigits(_ word: UInt64) -> UInt64 {
    ((word &+ 0x4646_4646_4646_4646) | (word &- 0x3030_3030_3030_3030)) & 0x8080_8080_8080_8080
  }

  /// The value of eight digits, the first one lowest; zero bytes count as 0.
  /// - Source: Johnny Lee, "Fast numeric string to int"; Lemire, "Quickly parsing eight digits".
  @inline(__always) static func digits(_ word: UInt64) -> Int64 {
    let pairs = ((word & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) &>> 8
    let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
    return Int64(truncatingIfNeeded: ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32)
  }

  @inline(never) func otherInteger(_ start: Int, before next: Int) -> Int64? {
    guard let number = number(start, before: next), let magnitude = number.wholeMagnitude else { return nil }
    if number.isNegative { return magnitude > 1 << 63 ? nil : Int64(truncatingIfNeeded: 0 &- magnitude) }
    return Int64(exactly: magnitude)
  }

  func unsignedInteger(_ start: Int, before next: Int) -> UInt64? {
    guard let number = number(start, before: next), let magnitude = number.wholeMagnitude else { return nil }
    return number.isNegative && magnitude > 0 ? nil : magnitude
  }

  // MARK: Any number

  /// The number at `start`, or nil where the text is none.
  /// - Source: RFC 8259, section 6.
  func number(_ start: Int, before next: Int) -> NumberText? {
    var number = NumberText(
      mantissa: 0, exponent: 0, isNegative: self[start] == UInt8(ascii: "-"), isCut: false, end: start)
    if number.isNegative { number.end += 1 }
    let first = number.end
    takeDigits(&number, isFraction: false)
    guard number.end > first, self[first] != UInt8(ascii: "0") || number.end == first + 1 else { return nil }
    if self[number.end] == UInt8(ascii: ".") {
      number.end += 1
      let fraction = number.end
      takeDigits(&number, isFraction: true)
      guard number.end > fraction else { return nil }
    }
    if self[number.end] | 0x20 == UInt8(ascii: "e"), !takeExponent(&number) { return nil }
    return number.end == next || isBlank(self[number.end]) ? number : nil
  }

  private func takeDigits(_ number: inout NumberText, isFraction: Bool) {
    while true {
      let digit = self[number.end] &- UInt8(ascii: "0")
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
    let sign = self[number.end]
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { number.end += 1 }
    let first = number.end
    var exponent = 0
    while true {
      let digit = self[number.end] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      exponent = min(exponent * 10 + Int(digit), 1_000_000_000)
      number.end += 1
    }
    number.exponent += sign == UInt8(ascii: "-") ? -exponent : exponent
    return number.end > first
  }

  // MARK: Floats

  /// The nearest double, ties to even; nil when the text is no number or overflows.
  func double(_ start: Int, before next: Int) -> Double? {
    guard let number = number(start, before: next) else { return nil }
    if let exact = number.exactDouble { return exact }
    let value = unsafe strtod(UnsafeRawPointer(pointer(start)).assumingMemoryBound(to: CChar.self), nil)
    return value.isFinite ? value : nil
  }

  /// The nearest float, rounded once.
  func float(_ start: Int, before next: Int) -> Float? {
    guard let number = number(start, before: next) else { return nil }
    // A double that is not half-way between two floats rounds to the float that the text itself rounds to.
    if let exact = number.exactDouble, exact.bitPattern & 0x1FFF_FFFF != 0x1000_0000,
      abs(exact) >= 0x1p-126 || exact == 0
    {
      let value = Float(exact)
      return value.isFinite ? value : nil
    }
    let value = unsafe strtof(UnsafeRawPointer(pointer(start)).assumingMemoryBound(to: CChar.self), nil)
    return value.isFinite ? value : nil
  }
}
