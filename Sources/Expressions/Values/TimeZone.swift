import Glibc
import Synchronization

/// How far local clocks are from UTC, at any moment: a fixed offset or a zone of the system's database.
struct TimeZone: Sendable {
  private enum Rule: Sendable {
    case fixed(Int64)
    /// Ascending moments and the offset from each; the first offset holds before all; the rule after them.
    case zone(moments: [Int64], offsets: [Int64], first: Int64, last: PosixRule?)
  }

  private let rule: Rule

  /// A name such as `Europe/Berlin` or `UTC`, or an offset `+01:00`.
  static func named(_ name: String) throws(EvaluationError) -> TimeZone {
    if let known = cache.withLock({ $0[name] }) { return known }
    guard let zone = TimeZone(offset: name) ?? TimeZone(file: name) else { throw .unknownTimeZone(name) }
    cache.withLock { if $0.count < 1_000 { $0[name] = zone } }
    return zone
  }

  private static let cache = Mutex<[String: TimeZone]>([:])

  /// Seconds east of UTC at `seconds` since 1970.
  func offset(at seconds: Int64) -> Int64 {
    switch rule {
    case .fixed(let offset): return offset
    case .zone(let moments, let offsets, let first, let last):
      var (low, high) = (0, moments.count)
      while low < high {
        let middle = (low + high) / 2
        if moments[middle] <= seconds { low = middle + 1 } else { high = middle }
      }
      if low == moments.count, let last { return last.offset(at: seconds) }
      return low == 0 ? first : offsets[low - 1]
    }
  }

  /// `+hh:mm`, `-hh:mm` or `hh:mm`.
  private init?(offset text: String) {
    if text == "UTC" || text == "" {
      rule = .fixed(0)
      return
    }
    var bytes = Array(text.utf8)[...]
    let isWest = bytes.first == UInt8(ascii: "-")
    if isWest || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isDigit) }),
      let hours = Int64(String(decoding: parts[0], as: UTF8.self)), hours < 24,
      let minutes = Int64(String(decoding: parts[1], as: UTF8.self)), minutes < 60
    else { return nil }
    rule = .fixed((isWest ? -1 : 1) * (hours * 3600 + minutes * 60))
  }

  private init?(file name: String) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.first != UInt8(ascii: ".")
        && part.utf8.allSatisfy { $0.isNameStart || $0.isDigit || "+-".utf8.contains($0) }
    }
    guard isPlain, let bytes = Self.read("/usr/share/zoneinfo/\(name)"), let file = ZoneFile(bytes) else { return nil }
    rule = .zone(moments: file.moments, offsets: file.offsets, first: file.firstOffset, last: file.rule)
  }

  /// The bytes of a small file; nil where it cannot be read.
  private static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
    return count > 0 && count < bytes.count ? Array(bytes[..<count]) : nil
  }
}

/// A file of the time zone database, version 2 or later.
/// - Source: RFC 8536.
struct ZoneFile {
  private(set) var moments: [Int64] = []
  private(set) var offsets: [Int64] = []
  private(set) var firstOffset: Int64 = 0
  private(set) var rule: PosixRule?

  init?(_ bytes: [UInt8]) {
    guard let first = Header(bytes, at: 0), first.version >= UInt8(ascii: "2") else { return nil }
    let start = Header.byteCount + first.bodyByteCount(timeWidth: 4)
    guard let header = Header(bytes, at: start) else { return nil }
    let body = start + Header.byteCount
    let end = body + header.bodyByteCount(timeWidth: 8)
    guard end <= bytes.count, header.typeCount > 0 else { return nil }
    let kinds = body + header.timeCount * 8
    let types = kinds + header.timeCount
    func offset(ofType type: Int) -> Int64 { Int64(Int32(truncatingIfNeeded: bigEndian(bytes, types + type * 6, 4))) }
    for index in 0..<header.timeCount {
      let type = Int(bytes[kinds + index])
      guard type < header.typeCount else { return nil }
      moments.append(bigEndian(bytes, body + index * 8, 8))
      offsets.append(offset(ofType: type))
    }
    firstOffset = offset(ofType: 0)
    let footer = bytes[end...].dropFirst().prefix { $0 != 0x0A }
    rule = PosixRule(String(decoding: footer, as: UTF8.self))
  }

  private struct Header {
    static let byteCount = 44
    let version: UInt8
    let utcCount, standardCount, leapCount, timeCount, typeCount, nameByteCount: Int

    init?(_ bytes: [UInt8], at start: Int) {
      guard start >= 0, start + Self.byteCount <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8)
      else {
        return nil
      }
      version = bytes[start + 4]
      let counts = (0..<6).map { Int(bigEndian(bytes, start + 20 + $0 * 4, 4)) }
      (utcCount, standardCount, leapCount) = (counts[0], counts[1], counts[2])
      (timeCount, typeCount, nameByteCount) = (counts[3], counts[4], counts[5])
      guard counts.allSatisfy({ $0 <= bytes.count }) else { return nil }
    }

    func bodyByteCount(timeWidth: Int) -> Int {
      timeCount * (timeWidth + 1) + typeCount * 6 + nameByteCount + leapCount * (timeWidth + 4) + standardCount
        + utcCount
    }
  }
}

/// `count` bytes, most significant first; of 8 bytes the bit pattern.
private func bigEndian(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
  bytes[start..<start + count].reduce(0) { $0 << 8 | Int64($1) }
}
