import Arrow
import Buffers
import Expressions

extension EvaluatedColumn {
  /// How many rows have no value because their evaluation failed.
  var errorCount: Int { errors?.setBitCount ?? 0 }

  /// The same without the rows that are retractions: they have no features that could fail.
  func errorCount(except retracted: ArrowArray) -> Int {
    errors.map { $0.and(retracted.bits.inverted()).setBitCount } ?? 0
  }
}
