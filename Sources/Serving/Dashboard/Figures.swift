import DeltaLog

/// Numbers as people read them.
enum Figures {
  /// `1 234 567`.
  static func count(_ value: Int) -> String {
    var text = ""
    for (place, digit) in String(value.magnitude).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text.append("\u{2009}") }
      text.append(digit)
    }
    return (value < 0 ? "−" : "") + String(text.reversed())
  }

  /// `12.3 MiB`.
  static func bytes(_ value: Int) -> String {
    var (size, unit) = (Double(value), 0)
    while size >= 1_024, unit < 4 { (size, unit) = (size / 1_024, unit + 1) }
    return (unit == 0 ? "\(value)" : decimal(size)) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][unit]
  }

  /// `340 ms`, `12.5 s`, `3 min`, `5 h`, `2 d`.
  static func duration(seconds: Double) -> String {
    switch seconds {
    case ..<0: "0 s"
    case ..<0.0995: decimal(seconds * 1e3) + " ms"
    case ..<0.9995: "\(Int((seconds * 1e3).rounded())) ms"
    case ..<99.5: decimal(seconds) + " s"
    case ..<5_400: "\(Int((seconds / 60).rounded())) min"
    case ..<172_800: "\(Int((seconds / 3_600).rounded())) h"
    default: "\(Int((seconds / 86_400).rounded())) d"
    }
  }

  /// `99.93 %`.
  static func share(_ value: Double) -> String {
    let hundredths = Int((value * 10_000).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100)" + (rest == 0 ? "" : "." + (rest < 10 ? "0" : "") + "\(rest)") + " %"
  }

  /// To the minute, in UTC.
  static func time(millis: Int64) -> String {
    String(CalendarText.timestamp(micros: millis * 1_000).prefix(16)).replacing("T", with: " ")
  }

  /// To one digit after the point.
  static func decimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
