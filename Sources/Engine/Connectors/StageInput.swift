import Buffers
import DeltaLog
import Frames
import Glibc

/// Reads a stage's inputs one after the other, whatever format each is in, and cuts them into units of work.
final class StageInput: StageSource {
  /// Large enough that a stage's frames are, and that a unit's fixed costs do not count.
  static let unitByteCount = 8 << 20

  private var paths: ArraySlice<String>
  private let takesEmptyPipe: Bool
  private let isCSV: Bool
  private let maximumFrameByteCount: Int
  private let request: StopRequest?
  private var source: Source?
  /// Whether any input was a stream of frames, so that an end mark must come.
  private(set) var hadFrames = false
  /// Whether an input ended before it began: a stage writes an end even when it has no rows.
  private(set) var wasCutShort = false
  /// Whether the input was left before its end because somebody asked for it.
  private(set) var wasStopped = false

  private enum Source: ~Copyable {
    case file(OpenFile, next: Int, size: Int)
    case text(TextStream)
    case csv(CSVStream)
    case rows(ArraySlice<TableRows>)
    case frames(FrameReader, OpenFile)
  }

  /// - Parameter takesEmptyPipe: whether a pipe that gives nothing is empty text, and no stream without its end.
  init(_ options: StageOptions, takesEmptyPipe: Bool) {
    paths = options.inputs[...]
    maximumFrameByteCount = options.maximumFrameByteCount
    request = options.stop
    isCSV = options.isCSV
    self.takesEmptyPipe = takesEmptyPipe
  }

  /// The next unit; nil after the last input's end, or when the run is to stop. Waits for input.
  func next() throws -> InputUnit? {
    while true {
      if let unit = try nextOfSource() { return unit }
      source = nil
      guard !wasStopped, let path = paths.popFirst() else { return nil }
      do { source = try open(path) } catch is InputStopped { return nil }
    }
  }

  /// Waits for input; answers false when it is to be left where it is.
  private func mayRead(_ file: OpenFile) -> Bool {
    guard let request, !request.awaitInput(file.descriptor) else { return true }
    wasStopped = true
    return false
  }

  private func nextOfSource() throws -> InputUnit? {
    switch source.take() {
    case .file(let file, let start, let size):
      guard start < size, mayRead(file) else { return nil }
      let end = min(start + Self.unitByteCount, size)
      source = .file(file, next: end, size: size)
      return .lines(file, start..<end)
    case .text(var stream):
      let block = try stream.next()
      source = .text(stream)
      return block.map { .text($0) }
    case .csv(var stream):
      let block = try stream.next()
      source = .csv(stream)
      return block.map { .csv($0) }
    case .rows(var parts):
      let part = parts.popFirst()
      source = .rows(parts)
      return part.map { .rows($0) }
    case .frames(var reader, let file):
      let frame: RawFrame?
      do { frame = try reader.next() } catch { throw FileError(path: file.path, error: error) }
      source = .frames(reader, file)
      return frame.map { .frame($0, path: file.path) }
    case nil: return nil
    }
  }

  private func open(_ path: String) throws -> Source {
    if path != "-", TableDirectory.isDirectory(path) { return try openDirectory(path) }
    let file = try OpenFile(reading: path)
    let (prefix, format) = try detect(file)
    if path != "-", file.regularSize != nil, prefix.isParquet { return .rows(try TableFile(path).parts[...]) }
    switch format {
    case .empty:
      // An empty pipe is one whose writer died; an empty file is just that.
      if file.regularSize == nil, !takesEmptyPipe { wasCutShort = true }
      return .file(file, next: 0, size: 0)
    case .frames:
      hadFrames = true
      let reader = FrameReader(
        prefix: prefix, fileDescriptor: file.descriptor, maximumContent: maximumFrameByteCount,
        mayRead: { [unowned self] in mayRead(file) })
      return .frames(reader, file)
    case .text: return try text(file, prefix, codec: nil)
    case .compressed(let codec): return try text(file, prefix, codec: codec)
    }
  }

  private func text(_ file: OpenFile, _ prefix: Buffer, codec: TextCodec?) throws -> Source {
    let isCSV = isCSV || CSVStream.isNamed(by: file.path)
    if codec == nil, !isCSV, let size = file.regularSize, file.path != "-" { return .file(file, next: 0, size: size) }
    let mayRead = { [unowned self] in self.mayRead(file) }
    let limit = Self.unitByteCount
    let text: TextStream
    if let codec {
      text = try TextStream(file, prefix: prefix, codec: codec, limit: limit, isCSV: isCSV, mayRead: mayRead)
    } else {
      text = TextStream(file, prefix: prefix, limit: limit, isCSV: isCSV, mayRead: mayRead)
    }
    return isCSV ? .csv(CSVStream(text, source: file.path)) : .text(text)
  }

  /// A Delta table, or Parquet files, which then are the next inputs.
  private func openDirectory(_ path: String) throws -> Source {
    if DeltaTable.isTable(path) { return .rows(try TableDirectory.deltaRows(path)[...]) }
    paths = try TableDirectory.parquetFiles(in: path) + paths
    return .rows([])
  }

  /// Reads as much as it takes to tell the format.
  private func detect(_ file: OpenFile) throws -> (prefix: Buffer, format: InputFormat) {
    var bytes = BufferBuilder(capacity: 64 << 10)
    var isWhole = false
    while true {
      guard mayRead(file) else { throw InputStopped() }
      let before = bytes.byteCount
      try unsafe bytes.appendUnsafely(capacity: 64 << 10) { room throws(SystemError) in
        try unsafe file.read(into: room)
      }
      isWhole = bytes.byteCount == before
      let prefix = Buffer(copying: bytes.bytes)
      if let format = InputFormat.detect(prefix, isWhole: isWhole) { return (prefix, format) }
    }
  }
}

extension Buffer {
  /// Whether a file begins as Parquet does.
  fileprivate var isParquet: Bool { byteCount >= 4 && load(0, as: UInt32.self) == 0x3152_4150 }
}
