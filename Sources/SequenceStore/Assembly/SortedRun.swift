import Arrow
import Engine
import Frames

/// Sorted events in a temporary file: frames at zstd level 1.
struct SortedRun {
  let file: TemporaryFile

  /// Writes what `produce` hands out.
  init(in directory: String, _ produce: ((RecordBatch) throws -> Void) throws -> Void) throws {
    do throws(SystemError) { file = try TemporaryFile(in: directory) } catch { throw AssemblyError.spill(error) }
    var writer = FrameWriter(fileDescriptor: file.descriptor, compression: .level(1))
    do {
      try produce { batch in try writer.write(batch) }
      try writer.finish()
    } catch let error as FrameError {
      throw AssemblyError(error, writingIn: directory)
    }
  }
}

/// Reads a sorted run back.
final class SortedRunReader: RunBatches {
  private let file: TemporaryFile
  private var reader: FrameReader
  /// The batches of the frame in hand that are still to come, last first.
  private var coming: [RecordBatch] = []

  init(_ run: SortedRun) throws(AssemblyError) {
    file = run.file
    do throws(SystemError) { try file.rewind() } catch { throw .spill(error) }
    // A run is our own: however large its rows, they are read back.
    reader = FrameReader(fileDescriptor: file.descriptor, maximumContent: 1 << 32)
  }

  func next() throws(AssemblyError) -> RecordBatch? {
    while coming.isEmpty {
      guard let frame = try nextFrame() else { return nil }
      if case .data(_, let batches) = frame { coming = batches.filter { $0.rowCount > 0 }.reversed() }
    }
    return coming.removeLast()
  }

  private func nextFrame() throws(AssemblyError) -> Frame? {
    do throws(FrameError) {
      return try reader.nextFrame()?.frame
    } catch { throw .run(error, directory: file.directory) }
  }
}

extension AssemblyError {
  fileprivate init(_ error: FrameError, writingIn directory: String) {
    if case .system(_, let code) = error.reason {
      self = .spill(SystemError("write a temporary file of sorted events there", directory, code: code))
    } else {
      self = .run(error, directory: directory)
    }
  }
}
