/// One thing that upkeep did to a table, and what came of it.
package struct UpkeepAction: Sendable, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case compact, retain, vacuum, profile
  }

  package var kind: Kind
  /// `datasets/engagements`, `retractions/engagements`; or the store's temporary place.
  package var place: String
  /// Nil where it is about more than one.
  package var bucket: Bucket?
  package var filesIn = 0
  package var filesOut = 0
  package var rowsIn = 0
  package var rowsOut = 0
  /// Rows that gave way to another row of the same event.
  package var superseded = 0
  /// Of the files that are gone, or of those that were written.
  package var byteCount = 0

  package init(_ kind: Kind, _ place: String, bucket: Bucket? = nil) {
    self.kind = kind
    self.place = place
    self.bucket = bucket
  }

  package var description: String {
    let subject = "\(kind.rawValue) \(place)" + (bucket.map { " \($0)" } ?? "")
    switch kind {
    case .vacuum: return "\(subject): \(filesIn) files deleted, \(byteCount) bytes"
    case .profile: return "\(subject): \(filesIn) files read, \(rowsIn) rows"
    case .compact, .retain:
      return "\(subject): \(filesIn) files into \(filesOut), \(rowsIn) rows into \(rowsOut)"
        + (superseded > 0 ? ", \(superseded) superseded" : "")
    }
  }
}
