import Arrow
import Buffers
import Frames

/// What a worker made of one unit of input.
struct StageProduct: Sendable {
  enum Payload: Sendable {
    case none
    case frames([EncodedFrame])
    case text(Buffer)
    case batches([RecordBatch])
  }

  /// What the unit was, for the account of the input stream.
  enum Origin: Sendable {
    /// Lines of a source, of which the first begins at `byteOffset`.
    case text(source: String, byteOffset: Int, lineCount: Int)
    /// Messages or rows, whose places are known already.
    case placed
    /// How far the source was read.
    case position(Control)
    case data(rowCount: Int)
    case control(Control, source: String, byteOffset: Int)
  }

  var origin: Origin
  var payload = Payload.none
  var report = RunReport()
  /// Their lines are numbered from the first of the unit.
  var deadLetters: [DeadLetter] = []
}
