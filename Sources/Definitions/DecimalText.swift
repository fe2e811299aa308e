/// Numbers for people and for answers: no more digits than say something.
package enum DecimalText {
  /// A number rounded to so many decimal places, without those that are zero.
  package static func format(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let number = (value * scale).rounded() / scale
    return number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
  }
}
