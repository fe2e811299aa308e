import Arrow
import ArrowKernels
import Definitions
import DeltaLog

// Of rows of one event, one revision and one time of arrival the one of the lower content hash holds. Everyone who chooses
// must find the same hash, whatever the rows come in: a frame, a sorted run, a file of which readers derive columns, or one
// that is older than some of the columns.

extension RecordBatch {
  /// A hash of what each event says beside its user, identity, revision and time of arrival.
  ///
  /// Columns count by their names in the types that tables have; a null counts as an absent column, as does `retracted`
  /// where it is false.
  func contentHashes() -> [UInt64] {
    var hashes = [UInt64](repeating: 0, count: rowCount)
    for (field, column) in zip(schema.fields, columns) where !Self.decided.contains(field.name) {
      let isFlag = field.name == SystemColumns.retracted
      let seed = field.name.utf8.reduce(UInt64(0)) { Hash64.combine($0, UInt64($1)) }
      let values = column.asStored(field.name).hashes()
      for row in hashes.indices where column.isValid(row) && (!isFlag || column.bits[row]) {
        hashes[row] &+= Hash64.combine(seed, values.load(row, as: UInt64.self))
      }
    }
    return hashes
  }

  /// Equal in rows among which content decides.
  private static let decided: Set = [
    SystemColumns.user, SystemColumns.seenAt, SystemColumns.eventType, SystemColumns.eventKey, SystemColumns.revision,
  ]
}

extension ArrowArray {
  /// In the type that tables have it in.
  fileprivate func asStored(_ column: String) -> ArrowArray {
    let type = type.valueType
    guard let stored = DeltaSchema.stored(as: type, keepsFixedSizes: true), stored != type else { return self }
    return (try? decoded().conformed(to: stored, column: column)) ?? self
  }
}
