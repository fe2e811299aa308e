/// Where a column's values are counted, in bins that are the same for all time: so counts of files and hours add up, and no
/// bins have to be agreed on before there is data.
package enum ValueBins: String, Sendable, CaseIterable {
  /// Numbers, in four bins an octave, by sign; the bins are in order of the numbers.
  case numbers
  /// Texts, by a hash; equal texts share a bin.
  case texts
  case booleans
  /// Only whether there is a value.
  case presence

  package var count: Int {
    switch self {
    case .numbers: Self.zero * 2
    case .texts: 64
    case .booleans: 2
    case .presence: 1
    }
  }

  /// Whether neighbours in order are neighbours in value.
  var isOrdered: Bool { self == .numbers }

  /// Octaves of magnitudes that are told apart: from 2⁻²⁰, below which a number counts as zero, to 2⁶⁴.
  private static let octaves = -20..<64
  private static let binsPerOctave = 4
  /// The bin of zero; bin 0 is for what is no number.
  private static let zero = octaves.count * binsPerOctave + 1

  /// The bin of a number: its sign, its exponent and the first two bits of its fraction.
  @inline(__always) static func bin(of number: Double) -> Int {
    if number.isNaN { return 0 }
    let leading = Int(truncatingIfNeeded: number.magnitude.bitPattern &>> 50)
    let place = leading &- (1_023 &+ octaves.lowerBound) &* binsPerOctave
    if place < 0 { return zero }
    let step = min(place, octaves.count * binsPerOctave &- 1)
    return number < 0 ? max(1, zero &- 1 &- step) : min(zero &* 2 &- 1, zero &+ 1 &+ step)
  }

  /// The greatest magnitude that a bin of numbers holds, with the bin's sign; nil for bin 0.
  static func bound(of bin: Int) -> Double? {
    if bin == 0 { return nil }
    if bin == zero { return 0 }
    let step = bin > zero ? bin - zero - 1 : zero - 1 - bin
    let octave = octaves.lowerBound + step / binsPerOctave
    let magnitude = Double(sign: .plus, exponent: octave, significand: 1 + Double(step % binsPerOctave + 1) / 4)
    return bin > zero ? magnitude : -magnitude
  }
}
