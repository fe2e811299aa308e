import Buffers

extension ArrowArray {
  /// The same values in other memory.
  ///
  /// - Parameters:
  ///   - sharesDictionary: whether the values of a dictionary stay where they are.
  ///   - body: answers with the same bytes, wherever they lie.
  public func replacingBuffers(sharesDictionary: Bool = false, _ body: (Buffer) -> Buffer) -> ArrowArray {
    func moved(_ child: ArrowArray) -> ArrowArray { child.replacingBuffers(sharesDictionary: sharesDictionary, body) }
    func moved(_ bits: Bitmap) -> Bitmap { Bitmap(body(bits.buffer), bitOffset: bits.bitOffset, count: bits.count) }
    let storage: Storage =
      switch storage {
      case .null: .null
      case .boolean(let bits): .boolean(moved(bits))
      case .fixed(let values): .fixed(body(values))
      case .variable(let offsets, let data): .variable(offsets: body(offsets), data: body(data))
      case .list(let offsets, let child): .list(offsets: body(offsets), child: moved(child))
      case .fixedSizeList(let child): .fixedSizeList(child: moved(child))
      case .structure(let children): .structure(children: children.map { moved($0) })
      case .dictionary(let indices, let values):
        .dictionary(indices: body(indices), values: sharesDictionary ? values : moved(values))
      }
    return ArrowArray(type, count: count, validity: validity.map { moved($0) }, storage: storage)
  }
}

extension RecordBatch {
  /// The same rows in other memory.
  ///
  /// - Parameter body: answers with the same bytes, wherever they lie.
  public func replacingBuffers(_ body: (Buffer) -> Buffer) -> RecordBatch {
    RecordBatch(schema, columns.map { $0.replacingBuffers(body) }, rowCount: rowCount)
  }
}
