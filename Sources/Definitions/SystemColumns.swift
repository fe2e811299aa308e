import Arrow

/// The columns that begin every batch of events, whatever its event type.
package enum SystemColumns {
  package static let user = "user_id"
  package static let ts = "ts"
  package static let seenAt = "seen_at"
  package static let eventType = "event_type"
  package static let eventKey = "event_key"
  package static let revision = "revision"
  package static let retracted = "retracted"

  /// All of them, as they travel between stages.
  package static func fields(userType: DataType) -> [Field] {
    stored(userType: userType) + [Field(retracted, .boolean, isNullable: false)]
  }

  /// Those that a dataset keeps: all but `retracted`.
  package static func stored(userType: DataType) -> [Field] {
    [
      Field(user, userType, isNullable: false), Field(ts, .timestampMicrosUTC, isNullable: false),
      Field(seenAt, .timestampMicrosUTC, isNullable: false), Field(eventType, .utf8, isNullable: false),
      Field(eventKey, .int64, isNullable: false), Field(revision, .int32, isNullable: false),
    ]
  }

  package static let names: Set<String> = [user, ts, seenAt, eventType, eventKey, revision, retracted]
}
