import Arrow

extension DataType {
  /// This type with its children's types taken from `storage`, where unified dictionaries got wider indices.
  func adapted(to storage: ArrowArray.Storage) -> DataType {
    switch (self, storage) {
    case (.list(let element), .list(_, let child)): .list(element.retyped(child.type))
    case (.map(let entries, let sorted), .list(_, let child)):
      .map(entries: entries.retyped(child.type), keysSorted: sorted)
    case (.fixedSizeList(let element, let length), .fixedSizeList(let child)):
      .fixedSizeList(element.retyped(child.type), count: length)
    case (.structure(let fields), .structure(let children)):
      .structure(zip(fields, children).map { $0.retyped($1.type) })
    default: self
    }
  }
}

extension Field {
  /// The same field of another type.
  public func retyped(_ type: DataType) -> Field {
    var field = self
    field.type = type
    return field
  }
}
