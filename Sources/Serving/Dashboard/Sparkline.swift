/// A number's recent past, as a line without axes.
struct Sparkline {
  /// Oldest first; nil leaves a hole.
  var values: [Double?]
  var label: String

  private static let (width, height) = (120.0, 24.0)

  var html: HTML {
    let known = values.compactMap { $0 }
    guard known.count > 1, let low = known.min(), let high = known.max() else {
      return #"<span class="faint">–</span>"#
    }
    let summary = "\(label): least \(Self.text(low)), most \(Self.text(high)), now \(Self.text(known[known.count - 1]))"
    return """
      <svg class="spark" viewBox="0 0 120 24" preserveAspectRatio="none" role="img" aria-label="\(summary)">\
      <path d="\(path(low, high))"/></svg>
      """
  }

  private func path(_ low: Double, _ high: Double) -> String {
    let range = high > low ? high - low : 1
    var (path, isOpen) = ("", false)
    for (place, value) in values.enumerated() {
      guard let value else {
        isOpen = false
        continue
      }
      let x = Double(place) / Double(max(1, values.count - 1)) * Self.width
      let y = Self.height - 2 - (value - low) / range * (Self.height - 4)
      path += "\(isOpen ? "L" : "M")\(Self.text(x)) \(Self.text(y))"
      isOpen = true
    }
    return path
  }

  /// To three digits after the point.
  private static func text(_ value: Double) -> String {
    let rounded = (value * 1_000).rounded() / 1_000
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}
