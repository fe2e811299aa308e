import Buffers
import SequenceStore
import Synchronization

/// A body that is made piece by piece.
protocol PiecewiseBody {
  /// The next piece; nil after the last one.
  mutating func next() throws(StoreError) -> Buffer?
}

/// The pieces of such a body, each made when it is asked for.
final class BodyPieces<Body: PiecewiseBody>: HTTPChunks {
  private let body: Mutex<Body>

  init(_ body: consuming sending Body) { self.body = Mutex(body) }

  func next() throws -> Buffer? { try body.withLock { try $0.next() } }
}
