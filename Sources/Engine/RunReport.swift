/// What a stage did, added up over its batches: the source of its summary line and its metrics.
package struct RunReport: Sendable, Equatable {
  package var bytesIn = 0
  package var rowsIn = 0
  package var rowsOut = 0
  /// Rows that only say that lower revisions of an event are gone; they are counted in `rowsOut` too.
  package var retractions = 0
  /// Lines that went to the dead letters, by reason.
  package var rejected: [String: Int] = [:]
  /// Values of a wrong type that became null, by field.
  package var mismatches: [String: Int] = [:]
  /// Rows for which an expression was an error, by event type and column: not selected, or null.
  package var expressionErrors: [String: Int] = [:]
  /// Events kept, by event type.
  package var kept: [String: Int] = [:]
  /// By look-up: events that found their key, and events whose key the table lacks.
  package var coverage: [String: Coverage] = [:]
  /// By look-up: rows of its table that others of the same key, and the same as-of time, hide.
  package var repeatedKeys: [String: Int] = [:]
  /// Whether the input was left before its end because somebody asked for it.
  package var wasStopped = false

  /// The latest arrival of all raw events, whether kept or not, in microseconds since 1970; nil where none were seen.
  package var horizonMicros: Int64?

  package struct Coverage: Sendable, Equatable {
    package var hits = 0
    package var misses = 0

    package init(hits: Int = 0, misses: Int = 0) {
      self.hits = hits
      self.misses = misses
    }

    /// The share of keys that were found; 1 when there were none.
    package var share: Double { hits + misses == 0 ? 1 : Double(hits) / Double(hits + misses) }
  }

  package init() {}

  package var rejectedCount: Int { rejected.values.reduce(0, +) }

  package mutating func noteHorizon(_ micros: Int64?) {
    if let micros { horizonMicros = max(micros, horizonMicros ?? .min) }
  }

  package mutating func add(_ other: RunReport) {
    bytesIn += other.bytesIn
    rowsIn += other.rowsIn
    rowsOut += other.rowsOut
    retractions += other.retractions
    rejected.merge(other.rejected, uniquingKeysWith: +)
    mismatches.merge(other.mismatches, uniquingKeysWith: +)
    expressionErrors.merge(other.expressionErrors, uniquingKeysWith: +)
    kept.merge(other.kept, uniquingKeysWith: +)
    noteHorizon(other.horizonMicros)
    repeatedKeys.merge(other.repeatedKeys, uniquingKeysWith: +)
    wasStopped = wasStopped || other.wasStopped
    coverage.merge(other.coverage) { Coverage(hits: $0.hits + $1.hits, misses: $0.misses + $1.misses) }
  }
}
