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
  /// Of the rows that came of the unit; empty where nobody asked.
  var newest = NewestEvents()
  /// Their lines are numbered from the first of the unit.
  var deadLetters: [DeadLetter] = []
}

extension StageProduct {
  /// What the metrics are told.
  var account: UnitAccount {
    var account = UnitAccount(report: report, newest: newest)
    if case .data = origin { account.framesIn = 1 }
    switch payload {
    case .frames(let frames):
      account.framesOut = frames.count
      account.bytesOut = frames.reduce(0) { $0 + $1.byteCount }
    case .text(let text): account.bytesOut = text.byteCount
    case .none, .batches: break
    }
    return account
  }
}
