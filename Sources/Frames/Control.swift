import Buffers
import JSONText

/// What a control frame says of the rows before it.
///
/// A stage passes it on only after the output of all that precedes it.
public enum Control: Hashable, Sendable {
  /// All rows before it come from before `offset` of a source, whose partition is nil when it has none.
  case position(source: String, partition: Int64?, offset: Int64)
  /// No event before this time is expected any more, in microseconds since 1970.
  case watermark(Int64)
  /// All rows that had arrived by this time are among those before it, in microseconds since 1970.
  case horizon(Int64)
  /// The stream ended well, after this many data frames and rows since its start or its last such end.
  case end(frames: Int, rows: Int)
  /// An object that this version does not know, to be passed on as it is.
  case other(JSONValue)

  /// Larger control frames are refused.
  public static let byteCountLimit = 1 << 20

  public var json: JSONValue {
    switch self {
    case .position(let source, let partition, let offset):
      let partition = partition.map { JSONValue.integer($0) } ?? .null
      return ["position": ["source": .string(source), "partition": partition, "offset": .integer(offset)]]
    case .watermark(let time): return ["watermark": .integer(time)]
    case .horizon(let time): return ["horizon": .integer(time)]
    case .end(let frames, let rows): return ["end": ["frames": .integer(Int64(frames)), "rows": .integer(Int64(rows))]]
    case .other(let value): return value
    }
  }

  /// Reads a control frame's content; what is wrong with it is thrown as text.
  init(parsing content: Buffer) throws(ControlError) {
    let value: JSONValue
    do { value = try JSONValue(parsing: content.bytes) } catch { throw ControlError(what: "\(error)") }
    guard let object = value.object else { throw ControlError(what: "it is no JSON object") }
    if let position = object["position"] {
      self = try Self.position(position)
    } else if let watermark = object["watermark"] {
      guard let time = watermark.integer else { throw ControlError(what: "its watermark is no integer") }
      self = .watermark(time)
    } else if let horizon = object["horizon"] {
      guard let time = horizon.integer else { throw ControlError(what: "its horizon is no integer") }
      self = .horizon(time)
    } else if let end = object["end"] {
      guard let frames = end["frames"]?.integer, let rows = end["rows"]?.integer, frames >= 0, rows >= 0 else {
        throw ControlError(what: "its end lacks frames or rows")
      }
      self = .end(frames: Int(frames), rows: Int(rows))
    } else {
      self = .other(value)
    }
  }

  private static func position(_ value: JSONValue) throws(ControlError) -> Control {
    guard let source = value["source"]?.string, let offset = value["offset"]?.integer else {
      throw ControlError(what: "its position lacks source or offset")
    }
    return .position(source: source, partition: value["partition"]?.integer, offset: offset)
  }
}

/// What is wrong with a control frame's content.
struct ControlError: Error {
  let what: String
}
