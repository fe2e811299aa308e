import JSONText

/// How what some days hold now differs from what they held: the drift between two runs over the same days, or between
/// streaming and batch.
///
/// Events are the same by identity (event_type, event_key), wherever in the replaced days they lie.
package struct ReplacementDrift: Sendable, Equatable {
  package struct Counts: Sendable, Equatable {
    /// Events that were there and are not any more.
    package var dropped = 0
    /// Events that were not there.
    package var added = 0
    /// Events of which the revision or any column is another.
    package var changed = 0

    package init(dropped: Int = 0, added: Int = 0, changed: Int = 0) {
      (self.dropped, self.added, self.changed) = (dropped, added, changed)
    }

    static func + (left: Counts, right: Counts) -> Counts {
      Counts(
        dropped: left.dropped + right.dropped, added: left.added + right.added, changed: left.changed + right.changed)
    }
  }

  /// By event type; those without drift are left out.
  package var types: [String: Counts] = [:]
  /// Buckets left out, as a file of theirs that was replaced could not be read.
  package var unreadableBuckets = 0

  package init() {}

  package var total: Counts { types.values.reduce(Counts(), +) }

  /// As a commit's metrics.
  var metrics: [String: Int64] {
    func metrics(_ counts: Counts, _ suffix: String) -> [(String, Int64)] {
      [
        ("numEventsDropped" + suffix, Int64(counts.dropped)), ("numEventsAdded" + suffix, Int64(counts.added)),
        ("numEventsChanged" + suffix, Int64(counts.changed)),
      ]
    }
    let all = metrics(total, "") + types.flatMap { metrics($0.value, ".\($0.key)") }
    return Dictionary(all) { first, _ in first }
  }

  package var json: JSONValue {
    .object(
      types.mapValues {
        [
          "dropped": .integer(Int64($0.dropped)), "added": .integer(Int64($0.added)),
          "changed": .integer(Int64($0.changed)),
        ]
      })
  }
}
