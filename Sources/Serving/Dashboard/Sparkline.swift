import Definitions

/// A number's recent past, as a line without axes.
struct Sparkline {
  /// Oldest first; nil leaves a hole.
  var values: [Double?]
  var label: String

  private static let (width, height) = (120.0, 24.0)

  /// The line; a dash where there is nothing to draw.
  var html: HTML { line ?? #"<span class="faint">–</span>"# }

  /// Nil where fewer than two values are known.
  var line: HTML? {
    let points = points
    let known = points.compactMap { $0 }
    guard known.count > 1, let low = known.min(), let high = known.max() else { return nil }
    let summary = "\(label): least \(Self.text(low)), most \(Self.text(high)), now \(Self.text(known[known.count - 1]))"
    let path = path(points, low, high)
    return """
      <svg class="spark" viewBox="0 0 120 24" preserveAspectRatio="none" role="img" aria-label="\(summary)">\
      <path d="\(path)"/></svg>
      """
  }

  /// As many as can be told apart: of several that fall together the greatest, for a peak must be seen.
  private var points: [Double?] {
    let step = (values.count + Int(Self.width) - 1) / Int(Self.width)
    guard step > 1 else { return values }
    return stride(from: 0, to: values.count, by: step).map { start in
      values[start..<min(start + step, values.count)].compactMap { $0 }.max()
    }
  }

  private func path(_ points: [Double?], _ low: Double, _ high: Double) -> String {
    let range = high > low ? high - low : 1
    var (path, isOpen) = ("", false)
    for (place, value) in points.enumerated() {
      guard let value else {
        isOpen = false
        continue
      }
      let x = Double(place) / Double(max(1, points.count - 1)) * Self.width
      let y = Self.height - 2 - (value - low) / range * (Self.height - 4)
      path += "\(isOpen ? "L" : "M")\(Self.text(x)) \(Self.text(y))"
      isOpen = true
    }
    return path
  }

  private static func text(_ value: Double) -> String { DecimalText.format(value, places: 3) }
}

/// A share of a whole, drawn.
struct Bar {
  /// In 0…1.
  var share: Double

  var html: HTML {
    let text = Figures.share(share)
    return
      #"<span class="bar"><i style="width: \#(Int((share * 100).rounded()))%"></i></span> <span class="faint">\#(text)</span>"#
  }
}

/// A figure that is well or is not: by its sign as well as by its colour.
enum Mark {
  case good(String)
  case bad(String)
  /// There is nothing to judge it by.
  case none(String)

  var html: HTML {
    switch self {
    case .good(let text): #"<span class="good">\#(text)</span>"#
    case .bad(let text): #"<span class="bad"><span aria-hidden="true">▲</span> \#(text)</span>"#
    case .none(let text): "\(text)"
    }
  }
}
