import Buffers
import Definitions

extension CSVBlock {
  /// The block's records as NDJSON, and those that could not be read.
  struct Lines {
    var text: Buffer
    /// Where each line's record lies in the block, without its newline, and its first line, counted from 1.
    var records: [(bytes: Range<Int>, line: Int)] = []
    var rejections: [(bytes: Range<Int>, line: Int, reason: String)] = []
  }

  /// - Parameter fields: those to extract.
  /// - Throws: `FileError` when there is no column for a field that each event must have.
  func ndjson(_ fields: [SourceField], of source: SourceDefinition) throws(FileError) -> Lines {
    let rows = CSVRows(names, fields)
    if let missing = source.requiredFields.map(\.columnName).sorted().first(where: { !rows.hasColumn(for: $0) }) {
      throw FileError(path: self.source, error: CSVError(line: 1, reason: .missingColumn(missing)))
    }
    var text = BufferBuilder(capacity: bytes.byteCount * 2)
    var lines = Lines(text: .empty)
    var line = linesBefore + 1
    for range in CSVRecordEnds.records(of: bytes.bytes) {
      let record = bytes.slice(range).withoutNewline
      let place = range.lowerBound..<range.lowerBound + record.byteCount
      do {
        var cells = CSVCells(record.bytes)
        if let record = try cells.nextRecord(), record.count > 1 || !record[0].isNull {
          text.append(utf8: try rows.line(record) + "\n")
          lines.records.append((place, line))
        }
      } catch {
        lines.rejections.append((place, line, error.reason.description))
      }
      line += bytes.slice(range).newlineCount
    }
    lines.text = text.finish()
    return lines
  }
}

extension Buffer {
  fileprivate var withoutNewline: Buffer {
    var end = byteCount
    for character in ["\n", "\r"] as [Unicode.Scalar]
    where end > 0 && load(end - 1, as: UInt8.self) == UInt8(ascii: character) {
      end -= 1
    }
    return slice(0..<end)
  }
}
