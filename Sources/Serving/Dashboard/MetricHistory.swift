import Buffers
import Engine
import Glibc
import JSONText
import Synchronization

/// The recent past of some numbers, in memory and in a small file: a line of JSON for each sample.
///
/// When the file has grown to its limit it is renamed (`.1` behind its name) and a new one begun, so the two are a ring of
/// bounded size that any tool reads. In memory a number takes four bytes a sample.
final class MetricHistory: Sendable {
  struct Sample: Sendable, Equatable {
    /// Since 1970.
    var seconds: Int64
    var values: [String: Double]
  }

  fileprivate struct State {
    var seconds: [Int64] = []
    /// Each as long as `seconds`; NaN where a sample has no such number.
    var series: [String: [Float]] = [:]
  }

  private let path: String?
  private let sampleLimit: Int
  private let fileByteLimit: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - path: the file; nil keeps samples in memory alone. Lines that cannot be read are left out.
  ///   - sampleLimit: so many are remembered.
  init(path: String?, sampleLimit: Int = 2_016, fileByteLimit: Int = 8 << 20) {
    self.path = path
    self.sampleLimit = sampleLimit
    self.fileByteLimit = fileByteLimit
    let texts = path.map { [$0 + ".1", $0] }?.compactMap { try? OpenFile.text(of: $0) } ?? []
    let lines = texts.flatMap { $0.split(separator: "\n") }
    state.withLock { state in
      for line in lines.suffix(sampleLimit) {
        if let sample = Sample(line) { state.append(sample, limit: sampleLimit) }
      }
    }
  }

  /// - Throws: `SystemError` when the file cannot be written; the sample is in memory then.
  func add(_ sample: Sample) throws(SystemError) {
    state.withLock { $0.append(sample, limit: sampleLimit) }
    guard let path else { return }
    var size = stat()
    if unsafe stat(path, &size) == 0, Int(size.st_size) > fileByteLimit { unsafe rename(path, path + ".1") }
    var line = BufferBuilder()
    line.append(utf8: sample.json.text + "\n")
    try OpenFile(writing: path, appending: true).write(line.bytes)
  }

  /// What a number was, oldest first; nil where a sample has none.
  func series(_ name: String) -> [Double?] {
    let values = state.withLock { $0.series[name] } ?? []
    return values.map { $0.isNaN ? nil : Double($0) }
  }

  /// What a number was, by the seconds of its samples.
  func values(_ name: String) -> [Int64: Double] {
    let (seconds, values) = state.withLock { ($0.seconds, $0.series[name] ?? []) }
    let known = zip(seconds, values).filter { !$1.isNaN }
    return Dictionary(known.map { ($0, Double($1)) }) { _, last in last }
  }
}

extension MetricHistory.State {
  fileprivate mutating func append(_ sample: MetricHistory.Sample, limit: Int) {
    for name in sample.values.keys where series[name] == nil {
      series[name] = [Float](repeating: .nan, count: seconds.count)
    }
    seconds.append(sample.seconds)
    for name in series.keys { series[name]!.append(Float(sample.values[name] ?? .nan)) }
    guard seconds.count > limit else { return }
    let excess = seconds.count - limit
    seconds.removeFirst(excess)
    for name in series.keys {
      series[name]!.removeFirst(excess)
      if series[name]!.allSatisfy(\.isNaN) { series[name] = nil }
    }
  }
}

extension MetricHistory.Sample {
  /// Nil for a line that is no sample.
  init?(_ line: Substring) {
    guard let value = try? JSONValue(parsing: String(line)), let seconds = value["t"]?.integer,
      let values = value["values"]?.object
    else { return nil }
    // Beyond that no figure of ours lies.
    self.init(seconds: seconds, values: values.compactMapValues(\.double).filter { abs($0.value) < 1e15 })
  }

  var json: JSONValue { ["t": .integer(seconds), "values": .object(values.mapValues { .number($0) })] }
}

/// Names of numbers in the history.
enum MetricName {
  static let liveRows = "live_rows"
  /// In tables.
  static let storedRows = "stored_rows"
  static let anomalies = "anomalies"

  static func delay(_ eventType: String) -> String { "delay/\(eventType)" }
  static func smallFiles(_ dataset: String) -> String { "small_files/\(dataset)" }

  /// Requests a second of a sequence or a tenant.
  static func rate(_ party: RequestParty) -> String { "rate/\(party)" }
  /// The share of them that the server could not answer.
  static func errors(_ party: RequestParty) -> String { "errors/\(party)" }
  /// How long 99 of 100 take at most, in seconds.
  static func latency(_ party: RequestParty) -> String { "p99/\(party)" }
  /// How many they were.
  static func count(_ party: RequestParty) -> String { "requests/\(party)" }
}

extension RequestSeries {
  /// How requests of a sequence or a tenant went, as the history names it; nothing where there were none.
  func quality(of party: RequestParty) -> [String: Double] {
    guard times.count > 0 else { return [:] }
    return [MetricName.errors(party): errorShare, MetricName.latency(party): times.estimate(0.99)]
  }
}

/// What requests are counted by.
package enum RequestParty: Hashable, Sendable, CustomStringConvertible {
  case sequence(String)
  case tenant(String)

  package var description: String {
    switch self {
    case .sequence(let name): "sequence/\(name)"
    case .tenant(let name): "tenant/\(name)"
    }
  }

  /// For people.
  var name: String {
    switch self {
    case .sequence(let name): name
    case .tenant(let name): "tenant \(name)"
    }
  }
}
