import Buffers
import Engine
import Glibc
import JSONText
import Synchronization

/// The recent past of some numbers, in memory and in a small file: a line of JSON for each sample.
///
/// When the file has grown to its limit it is renamed (`.1` behind its name) and a new one begun, so the two are a ring of
/// bounded size that any tool reads.
final class MetricHistory: Sendable {
  struct Sample: Sendable, Equatable {
    /// Since 1970.
    var seconds: Int64
    var values: [String: Double]
  }

  private let path: String?
  private let sampleLimit: Int
  private let fileByteLimit: Int
  private let samples: Mutex<[Sample]>

  /// - Parameters:
  ///   - path: the file; nil keeps samples in memory alone. Lines that cannot be read are left out.
  ///   - sampleLimit: so many are remembered.
  init(path: String?, sampleLimit: Int = 2_016, fileByteLimit: Int = 2 << 20) {
    self.path = path
    self.sampleLimit = sampleLimit
    self.fileByteLimit = fileByteLimit
    let texts = path.map { [$0 + ".1", $0] }?.compactMap { try? OpenFile.text(of: $0) } ?? []
    let known = texts.flatMap { $0.split(separator: "\n") }.compactMap { Sample($0) }
    samples = Mutex(Array(known.suffix(sampleLimit)))
  }

  /// - Throws: `SystemError` when the file cannot be written; the sample is in memory then.
  func add(_ sample: Sample) throws(SystemError) {
    samples.withLock { samples in
      samples.append(sample)
      if samples.count > sampleLimit { samples.removeFirst(samples.count - sampleLimit) }
    }
    guard let path else { return }
    var size = stat()
    if unsafe stat(path, &size) == 0, Int(size.st_size) > fileByteLimit { unsafe rename(path, path + ".1") }
    var line = BufferBuilder()
    line.append(utf8: sample.json.text + "\n")
    try OpenFile(writing: path, appending: true).write(line.bytes)
  }

  /// What a number was, oldest first; nil where a sample has none.
  func series(_ name: String) -> [Double?] { samples.withLock { $0.map { $0.values[name] } } }
}

extension MetricHistory.Sample {
  /// Nil for a line that is no sample.
  init?(_ line: Substring) {
    guard let value = try? JSONValue(parsing: String(line)), let seconds = value["t"]?.integer,
      let values = value["values"]?.object
    else { return nil }
    self.init(seconds: seconds, values: values.compactMapValues(\.double))
  }

  var json: JSONValue { ["t": .integer(seconds), "values": .object(values.mapValues { .number($0) })] }
}
