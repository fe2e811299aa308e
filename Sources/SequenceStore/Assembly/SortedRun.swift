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

extension AssemblyError {
  fileprivate init(_ error: FrameError, writingIn directory: String) {
    if case .system(_, let code) = error.reason {
      self = .spill(SystemError("write a temporary file of sorted events there", directory, code: code))
    } else {
      self = .run(error, directory: directory)
    }
  }
}
