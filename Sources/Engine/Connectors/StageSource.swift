import Buffers
import Frames

/// Where a stage's input comes from, in units of work.
package protocol StageSource: AnyObject {
  /// The next unit; nil at the end. Waits for input. Called by one thread at a time.
  func next() throws -> InputUnit?
  /// The output of all units before a position that `next` gave was written. Called by one thread at a time, beside `next`.
  func wrote(_ position: Control) throws
  /// Whether any input was a stream of frames, so that an end mark must come.
  var hadFrames: Bool { get }
  /// Whether an input ended before it began: a stage writes an end even when it has no rows.
  var wasCutShort: Bool { get }
  /// Makes `next` hand out the last positions and end; nil where it is just not called any more.
  var stop: (@Sendable () -> Void)? { get }
  /// Whether the input was left before its end because somebody asked for it.
  var wasStopped: Bool { get }
}

extension StageSource {
  package func wrote(_ position: Control) {}
  package var hadFrames: Bool { false }
  package var wasCutShort: Bool { false }
  package var stop: (@Sendable () -> Void)? { nil }
  package var wasStopped: Bool { false }
}

/// A piece of input that a worker can work on by itself.
package enum InputUnit: Sendable {
  /// The lines that begin within a range of a regular file; the worker reads them.
  case lines(OpenFile, Range<Int>)
  case text(TextBlock)
  case messages(MessageBlock)
  case rows(TableRows)
  case csv(CSVBlock)
  case frame(RawFrame, path: String)
  /// How far a source was read: it covers the units before it.
  case position(Control)

  /// Whether it is less work than waking another thread is worth: what comes while a stream is quiet.
  var isBrief: Bool {
    switch self {
    case .text(let block): block.bytes.byteCount <= Self.briefByteCount
    case .messages(let block): block.bytes.byteCount <= Self.briefByteCount
    case .frame(let frame, _): frame.byteCount <= Self.briefByteCount
    case .position: true
    case .lines, .rows, .csv: false
    }
  }

  static let briefByteCount = 32 << 10
}
