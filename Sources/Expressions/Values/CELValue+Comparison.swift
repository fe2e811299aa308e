/// How two values stand to each other; `unordered` where one is NaN.
enum Ordering {
  case less, equal, greater, unordered
}

extension CELValue {
  /// CEL's `==`: values of different types differ, but numbers are compared as numbers.
  package func equals(_ other: CELValue) -> Bool {
    switch (self, other) {
    case (.null, .null): true
    case (.list(let left), .list(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
    case (.map(let left), .map(let right)):
      left.entries.count == right.entries.count
        && left.entries.allSatisfy { entry in right[entry.key].map { $0.equals(entry.value) } ?? false }
    case (.structure(let left), .structure(let right)):
      left.names == right.names && zip(left.values, right.values).allSatisfy { $0.equals($1) }
    case (.type(let left), .type(let right)): left == right
    default: compared(to: other) == .equal
    }
  }

  /// CEL's order; nil where the two have none.
  func compared(to other: CELValue) -> Ordering? {
    switch (self, other) {
    case (.bool(let left), .bool(let right)): order(left ? 1 : 0, right ? 1 : 0)
    case (.string(let left), .string(let right)): order(left.utf8, right.utf8)
    case (.bytes(let left), .bytes(let right)): order(left, right)
    case (.timestamp(let left), .timestamp(let right)): order(left.nanoseconds, right.nanoseconds)
    case (.duration(let left), .duration(let right)): order(left.nanoseconds, right.nanoseconds)
    default: comparedAsNumber(to: other)
    }
  }

  private func comparedAsNumber(to other: CELValue) -> Ordering? {
    switch (self, other) {
    case (.int(let left), .int(let right)): order(left, right)
    case (.uint(let left), .uint(let right)): order(left, right)
    case (.double(let left), .double(let right)): order(left, right)
    case (.int(let left), .uint(let right)): order(Int128(left), Int128(right))
    case (.uint(let left), .int(let right)): order(Int128(left), Int128(right))
    case (.int(let left), .double(let right)): order(left, right)
    case (.double(let left), .int(let right)): order(right, left).reversed
    case (.uint(let left), .double(let right)): order(left, right)
    case (.double(let left), .uint(let right)): order(right, left).reversed
    default: nil
    }
  }
}

extension Ordering {
  var reversed: Ordering {
    switch self {
    case .less: .greater
    case .greater: .less
    case .equal, .unordered: self
    }
  }

  /// Whether the comparison `function` holds.
  func satisfies(_ function: Function) -> Bool {
    switch function {
    case .less: self == .less
    case .lessOrEqual: self == .less || self == .equal
    case .greater: self == .greater
    case .greaterOrEqual: self == .greater || self == .equal
    default: self == .equal
    }
  }
}

private func order<T: Comparable>(_ left: T, _ right: T) -> Ordering {
  left < right ? .less : left == right ? .equal : left > right ? .greater : .unordered
}

/// Compared as bytes, which for UTF-8 is the order of the code points.
private func order<T: Sequence<UInt8>>(_ left: T, _ right: T) -> Ordering {
  left.elementsEqual(right) ? .equal : left.lexicographicallyPrecedes(right) ? .less : .greater
}

/// The whole number becomes a double; only a double beyond all whole numbers of the type is not compared that way.
private func order<T: FixedWidthInteger>(_ left: T, _ right: Double) -> Ordering {
  if right < Double(T.min) { return .greater }
  if right > Double(T.max) { return .less }
  return order(Double(left), right)
}
