import Expressions

extension EvaluatedColumn {
  /// How many rows have no value because their evaluation failed.
  var errorCount: Int { errors?.setBitCount ?? 0 }
}
