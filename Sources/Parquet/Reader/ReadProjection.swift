import Arrow
import Buffers

/// Columns of a file that are read together, and what reading them needs: made once, for any number of reads.
package final class ReadProjection: Sendable {
  package let file: ParquetFile
  /// Columns of the table, in the order in which they are returned.
  package let columns: [Int]
  package let options: ReadOptions
  /// The schema of the batches.
  package let schema: Schema
  /// The leaves below the columns, in the columns' order.
  let leaves: [LeafSource]

  /// - Parameter columns: of the table; nil for all.
  package init(_ file: ParquetFile, columns: [Int]? = nil, options: ReadOptions = ReadOptions()) {
    let columns = columns ?? Array(file.schema.columns.indices)
    self.file = file
    self.columns = columns
    self.options = options
    schema = file.arrowSchema(columns: columns, options: options)
    var leaves: [LeafSource] = []
    for column in columns {
      let node = file.schema.columns[column]
      for leaf in node.leaves {
        leaves.append(
          LeafSource(
            file.schema.leaves[leaf], index: leaf, isNested: node.isNested,
            asDictionary: file.isDictionary(column, options)))
      }
    }
    self.leaves = leaves
  }
}

/// A leaf column, and how it is read.
final class LeafSource: Sendable {
  let leaf: LeafColumn
  /// Among the leaves of the file.
  let index: Int
  let layout: ValueLayout
  /// Whether the column stands in lists or structures, so that their levels are kept.
  let isNested: Bool
  /// The type of the arrays that are read.
  let type: DataType

  init(_ leaf: LeafColumn, index: Int, isNested: Bool, asDictionary: Bool) {
    self.leaf = leaf
    self.index = index
    self.isNested = isNested
    layout = ValueLayout(leaf, asDictionary: asDictionary)
    type =
      layout == .dictionary
      ? .dictionary(index: .int32, value: leaf.arrowType, isOrdered: false) : leaf.arrowType
  }

  /// Whether a slot may be null.
  var isNullable: Bool { leaf.maxDefinitionLevel > leaf.slotLevel }

  /// Whether values of a page can be decoded without all those before and after them.
  func canDecodePart(of encoding: Encoding) -> Bool {
    switch layout {
    case .null, .boolean: false
    case .decimal: encoding.isDictionary || (encoding == .plain && leaf.physicalType != .byteArray)
    case .dictionary: encoding.isDictionary
    case .fixed, .narrowed:
      encoding.isDictionary || [.plain, .deltaBinaryPacked, .byteStreamSplit].contains(encoding)
    case .int96, .variable: encoding.isDictionary || encoding == .plain
    }
  }
}

extension ColumnNode {
  /// Whether the column is more than a leaf.
  var isNested: Bool { if case .leaf = kind { false } else { true } }
}
