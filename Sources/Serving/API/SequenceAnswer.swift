import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import JSONColumns
import SequenceStore

/// The events of one user, or of several, on their way to a client.
struct SequenceAnswer: Sendable {
  /// What was read of a user.
  struct User: Sendable {
    /// The key as the request wrote it.
    var text: String
    /// None where they are read on the way.
    var events: RecordBatch
    /// What reads them; nil where they are there.
    var pieces: EventPieces?
    var cut: Set<SequenceEvents.Cut>
    var liveRowCount: Int

    var rowCount: Int { pieces?.rowCount ?? events.rowCount }

    /// Why there are not more.
    var cutNames: [String] {
      cut.count < 2 ? cut.map(\.rawValue) : SequenceEvents.Cut.allCases.filter(cut.contains).map(\.rawValue)
    }

    /// The same as a JSON array.
    var cutText: String { cut.isEmpty ? "[]" : #"[""# + cutNames.joined(separator: #"",""#) + #""]"# }
  }

  static let arrowType = "application/vnd.apache.arrow.stream"

  /// Rows of a piece where a body is made in pieces: of a user with more, or of several users with so many together.
  static let pieceRowCount = 4_096
  /// Longer answers are made in pieces.
  static let wholeRowCount = 16_000

  /// Whether an `Accept` field names an Arrow stream among what is welcome.
  static func acceptsArrow(_ accept: String) -> Bool {
    if accept == arrowType { return true }
    return accept.utf8.split { ",; ".utf8.contains($0) }.contains { $0.elementsEqual(arrowType.utf8) }
  }

  let users: [User]
  /// Whether one user was asked for, by name, rather than a list of users.
  let isSingle: Bool
  let contract: AnswerContract
  let timestamps: JSONTimestampForm
  let isColumnar: Bool
  let untilMicros: Int64
  let userType: DataType

  private var rowCount: Int { users.reduce(0) { $0 + $1.rowCount } }

  func answer(isArrow: Bool) throws(StoreError) -> HTTPAnswer {
    let isLong = rowCount > Self.wholeRowCount
    if isArrow {
      var body = ArrowBody(self)
      if isLong { return HTTPAnswer(.ok, contentType: Self.arrowType, body: .chunks(BodyPieces(body))) }
      return HTTPAnswer(.ok, contentType: Self.arrowType, body: try body.whole())
    }
    var body = JSONBody(self)
    if isLong { return HTTPAnswer(.ok, contentType: "application/json", body: .chunks(BodyPieces(body))) }
    return HTTPAnswer(.ok, contentType: "application/json", body: try body.whole())
  }
}
