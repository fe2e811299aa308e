import Arrow
import Buffers
import Definitions
import Frames
import JSONColumns

/// One thread's part of a stage: turns units of input into products.
final class StageWorker {
  private let stage: PipelineStage
  private let encoder: ProductEncoder
  private let keepsRejectedText: Bool
  private let maximumFrameByteCount: Int
  private let notesTimes: Bool
  private let transform: PipelineStage.Transform
  private var decoder: RawDecoder?

  init(_ stage: PipelineStage, encoder: ProductEncoder, options: StageOptions) throws {
    self.stage = stage
    self.encoder = encoder
    keepsRejectedText = options.deadLetters != nil
    maximumFrameByteCount = options.maximumFrameByteCount
    notesTimes = options.metrics != nil
    transform = try stage.makeTransform()
  }

  func work(_ unit: InputUnit) throws -> StageProduct {
    switch unit {
    case .frame(let frame, let path): return try work(frame, path: path)
    case .position(let position): return StageProduct(origin: .position(position))
    case .text(let block):
      let decoder = try textDecoder(block.source)
      decoder.decode(block.bytes.bytes, byteOffset: block.byteOffset)
      let text = DecodedText(source: block.source, byteOffset: block.byteOffset, byteCount: block.bytes.byteCount)
      return try finish(decoder, text) { rejection in
        let start = rejection.byteOffset - block.byteOffset
        return block.bytes.slice(start..<start + rejection.byteCount).text
      }
    case .messages(let block):
      let decoder = try textDecoder(block.source)
      decoder.decode(block.bytes.bytes, byteOffset: 0)
      return try finish(decoder, block)
    case .rows(let rows): return try work(rows)
    case .csv(let block): return try work(block)
    case .lines(let file, let range):
      let decoder = try textDecoder(file.path)
      var blocks = try LineBlocks(file, range: range)
      var byteCount = 0
      while try blocks.next({ lines, byteOffset in
        decoder.decode(lines, byteOffset: byteOffset)
        byteCount += lines.byteCount
      }) {}
      let text = DecodedText(source: file.path, byteOffset: range.lowerBound, byteCount: byteCount)
      return try finish(decoder, text) { rejection in
        try file.bytes(at: rejection.byteOffset, byteCount: rejection.byteCount).text
      }
    }
  }

  // MARK: Text

  private func textDecoder(_ source: String) throws -> RawDecoder {
    if let decoder { return decoder }
    guard let text = stage.text else { throw TextRefused(path: source, kind: stage.inputKind) }
    let made = try RawDecoder(text.source, fields: text.fields, definitions: stage.definitions)
    decoder = made
    return made
  }

  /// Text that a decoder has read.
  private struct DecodedText {
    var source: String
    var byteOffset: Int
    var byteCount: Int
  }

  private func finish(
    _ decoder: RawDecoder, _ text: DecodedText, line: (JSONRejection) throws -> String
  ) throws -> StageProduct {
    try finish(decoder, byteCount: text.byteCount) { lines in
      .text(source: text.source, byteOffset: text.byteOffset, lineCount: lines.lineCount)
    } letter: { rejection in
      DeadLetter(
        source: text.source, place: .line(rejection.line, byteOffset: rejection.byteOffset), reason: rejection.reason,
        text: keepsRejectedText ? try line(rejection) : "")
    }
  }

  private func finish(_ decoder: RawDecoder, _ block: MessageBlock) throws -> StageProduct {
    try finish(decoder, byteCount: block.bytes.byteCount) { _ in
      .placed
    } letter: { rejection in
      let message = block.message(at: rejection.byteOffset)
      let range = rejection.byteOffset..<rejection.byteOffset + rejection.byteCount
      return DeadLetter(
        source: block.source, place: .message(partition: message.partition, offset: message.offset),
        reason: rejection.reason, text: keepsRejectedText ? block.originalText(range, of: message) : "")
    }
  }

  /// Rows go through text: tables and logs are read by one set of rules.
  private func work(_ rows: TableRows) throws -> StageProduct {
    let decoder = try textDecoder(rows.path)
    let fields = stage.text!.fields
    let tableText = TableText(fields)
    var product = StageProduct(origin: .placed)
    try rows.forEachBatch(fields) { batch, rowsBefore in
      let text = tableText.ndjson(batch)
      decoder.decode(text.bytes, byteOffset: 0)
      let part = try finish(decoder, byteCount: text.byteCount) { _ in
        .placed
      } letter: { rejection in
        let range = rejection.byteOffset..<rejection.byteOffset + rejection.byteCount
        return DeadLetter(
          source: rows.path, place: .row(rowsBefore + rejection.line), reason: rejection.reason,
          text: keepsRejectedText ? text.slice(range).text : "")
      }
      product.report.add(part.report)
      product.deadLetters += part.deadLetters
      product.payload.append(part.payload)
    }
    return product
  }

  private func work(_ block: CSVBlock) throws -> StageProduct {
    let decoder = try textDecoder(block.source)
    let lines = try block.ndjson(stage.text!.fields, of: stage.text!.source)
    func letter(_ record: (bytes: Range<Int>, line: Int), _ reason: String) -> DeadLetter {
      let place = DeadLetter.Place.line(record.line, byteOffset: block.byteOffset + record.bytes.lowerBound)
      let text = keepsRejectedText ? block.bytes.slice(record.bytes).text : ""
      return DeadLetter(source: block.source, place: place, reason: reason, text: text)
    }
    decoder.decode(lines.text.bytes, byteOffset: 0)
    var product = try finish(decoder, byteCount: block.bytes.byteCount) { _ in
      .placed
    } letter: { rejection in
      letter(lines.records[rejection.line - 1], rejection.reason)
    }
    for rejection in lines.rejections {
      product.report.rejected[rejection.reason, default: 0] += 1
      product.deadLetters.append(letter((rejection.bytes, rejection.line), rejection.reason))
    }
    return product
  }

  private func finish(
    _ decoder: RawDecoder, byteCount: Int, origin: (JSONBatch) -> StageProduct.Origin,
    letter: (JSONRejection) throws -> DeadLetter
  ) throws -> StageProduct {
    let (raw, lines) = decoder.take()
    var product = StageProduct(origin: origin(lines))
    product.report.bytesIn = byteCount
    for rejection in lines.rejections {
      product.report.rejected[rejection.reason, default: 0] += 1
      product.deadLetters.append(try letter(rejection))
    }
    for (field, count) in zip(raw.schema.fields, lines.mismatches) where count > 0 {
      product.report.mismatches[field.name, default: 0] += count
    }
    try transform(raw, into: &product)
    return product
  }

  // MARK: Frames

  private func work(_ frame: RawFrame, path: String) throws -> StageProduct {
    switch try decode(frame, path: path) {
    case .control(let control):
      return StageProduct(origin: .control(control, source: path, byteOffset: frame.byteOffset))
    case .data(let schema, let batches):
      let rowCount = batches.reduce(0) { $0 + $1.rowCount }
      var product = StageProduct(origin: .data(rowCount: rowCount))
      product.report.bytesIn = frame.byteCount
      guard schema.metadata[MetadataKey.kind] == stage.inputKind else {
        throw WrongInput(expected: "\(stage.inputKind) rows", found: schema.metadata[MetadataKey.kind])
      }
      for batch in batches { try transform(batch, into: &product) }
      return product
    }
  }

  private func decode(_ frame: RawFrame, path: String) throws(FileError) -> Frame {
    do {
      return try frame.decode(maximumContent: maximumFrameByteCount)
    } catch {
      throw FileError(path: path, error: error)
    }
  }

  private func transform(_ batch: RecordBatch, into product: inout StageProduct) throws {
    product.report.rowsIn += batch.rowCount
    guard batch.rowCount > 0 else { return }
    let batches = try transform(batch, &product.report).filter { $0.rowCount > 0 }
    product.report.rowsOut += batches.reduce(0) { $0 + $1.rowCount }
    if notesTimes { for batch in batches { noteTimes(of: batch, in: &product.newest) } }
    product.payload.append(encoder.encode(encoder.format == .frames ? batches.map { $0.codingTexts() } : batches))
  }

  private func noteTimes(of batch: RecordBatch, in newest: inout NewestEvents) {
    if let source = stage.text?.source, batch.schema.metadata[MetadataKey.kind] == "raw" {
      newest.add(batch, of: source)
    } else {
      newest.add(batch)
    }
  }
}

/// Raw text where frames of a later stage's rows belong.
struct TextRefused: Error, CustomStringConvertible {
  var path: String
  var kind: String

  var description: String { "\(path): raw text where frames of \(kind) rows belong; put seq-filter before this stage" }
}

extension Buffer {
  /// As UTF-8, repaired where it is none.
  package var text: String { unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
}

extension OpenFile {
  /// Some bytes of a regular file.
  package func bytes(at byteOffset: Int, byteCount: Int) throws(SystemError) -> Buffer {
    var bytes = BufferBuilder(capacity: byteCount)
    try unsafe bytes.appendUnsafely(capacity: byteCount) { room throws(SystemError) in
      try unsafe read(into: room, at: byteOffset)
    }
    return bytes.finish()
  }
}
