import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import JSONColumns
import JSONText
import SequenceStore

/// Writes a user's events as JSON or as an Arrow stream.
struct SequenceAnswer {
  static let arrowType = "application/vnd.apache.arrow.stream"

  var sequence: SequenceDefinition
  var user: String
  var query: SequenceQuery
  var reading: StoreView.Reading
  /// As `version:digest`.
  var definitions: String

  private var events: SequenceEvents { reading.events }

  func answer(accept: String) -> HTTPAnswer {
    accept.contains(Self.arrowType) ? arrow() : json()
  }

  private var cut: JSONValue {
    .array(SequenceEvents.Cut.allCases.filter(events.cut.contains).map { .string($0.rawValue) })
  }

  // MARK: JSON

  private func json() -> HTTPAnswer {
    var output = JSONOutput(capacity: 256 + events.events.byteCount * 2)
    output.append(json: head)
    let rows = JSONRowEncoder(events.events, options: JSONEncodingOptions(timestamps: query.timestamps))
    output.append(#","events":"#)
    if query.isColumnar { appendColumns(rows, to: &output) } else { rows.appendArray(to: &output) }
    output.append("}\n")
    return HTTPAnswer(.ok, contentType: "application/json", body: output.take())
  }

  private func appendColumns(_ rows: borrowing JSONRowEncoder, to output: inout JSONOutput) {
    for (index, field) in events.events.schema.fields.enumerated() {
      output.append(index == 0 ? "{" : ",")
      output.append(string: field.name)
      output.append(":")
      rows.appendColumn(index, to: &output)
    }
    output.append("}")
  }

  /// Everything but the events, without the closing brace.
  private var head: String {
    var facts: [String: JSONValue] = [
      "sequence": .string(sequence.name), "version": .integer(Int64(sequence.version)), "user": .string(user),
      "definitions": .string(definitions), "tables": .object(reading.versions.mapValues { .integer($0) }),
      "until": .string(rfc3339(query.untilMicros)), "count": .integer(Int64(events.events.rowCount)), "cut": cut,
      "live": .integer(Int64(reading.liveRowCount)),
    ]
    if let watermark = reading.watermarkMicros { facts["watermark"] = .string(rfc3339(watermark)) }
    return String(JSONValue.object(facts).text.dropLast())
  }

  // MARK: Arrow

  private func arrow() -> HTTPAnswer {
    var schema = events.events.schema
    let columns = zip(schema.fields, events.events.columns).map { field, column in
      isInteger(field) ? column.integers(in: query.timestamps) : column
    }
    for index in schema.fields.indices { schema.fields[index].type = columns[index].type }
    schema.metadata = [
      "seq.kind": "sequence", "seq.sequence": "\(sequence.name)@\(sequence.version)", "seq.definitions": definitions,
      "seq.until": rfc3339(query.untilMicros), "seq.cut": cut.text,
      "seq.live": "\(reading.liveRowCount)",
    ]
    if let watermark = reading.watermarkMicros { schema.metadata["seq.watermark"] = rfc3339(watermark) }
    let batch = RecordBatch(schema, columns, rowCount: events.events.rowCount)
    let body = IPCStreamEncoder.encode(schema: schema, batches: [batch])
    return HTTPAnswer(.ok, contentType: Self.arrowType, body: body)
  }

  private func isInteger(_ field: Field) -> Bool {
    if case .timestamp = field.type { query.timestamps != .rfc3339 } else { false }
  }
}

extension ArrowArray {
  /// Timestamps in microseconds as a number of whole units since 1970, rounded down.
  fileprivate func integers(in form: JSONTimestampForm) -> ArrowArray {
    let perUnit: Int64 = form == .seconds ? 1_000_000 : form == .millis ? 1_000 : 1
    var builder = FixedWidthBuilder<Int64>(capacity: count)
    for row in 0..<count {
      if isNull(row) {
        builder.appendNull()
      } else {
        let micros = values.load(row, as: Int64.self)
        let (quotient, rest) = micros.quotientAndRemainder(dividingBy: perUnit)
        builder.append(rest < 0 ? quotient - 1 : quotient)
      }
    }
    return builder.take(as: .int64)
  }
}

/// A time as RFC 3339 writes it, in UTC: to the millisecond, or to the microsecond where that says more.
func rfc3339(_ micros: Int64) -> String {
  let text = CalendarText.timestamp(micros: micros)
  let rest = (micros % 1_000 + 1_000) % 1_000
  return rest == 0 ? text : text.dropLast() + String(rest + 1_000).dropFirst() + "Z"
}
