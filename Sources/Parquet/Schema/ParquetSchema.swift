import Arrow

/// A leaf of the schema: what a column chunk stores.
package struct LeafColumn: Sendable, Hashable {
  /// The names from the root down.
  package var path: [String]
  package var physicalType: PhysicalType
  /// Bytes per fixed-length byte array; 0 for other types.
  package var typeLength: Int
  package var logicalType: LogicalType?
  package var repetition: Repetition
  /// The definition level of a value that is there: how many of the path's fields are optional or repeated.
  package var maxDefinitionLevel: Int
  /// How many of the path's fields are repeated.
  package var maxRepetitionLevel: Int
  /// The definition level from which on there is a slot for a value: that of an element of the innermost list, or 0.
  package var slotLevel: Int
  /// The type that values of this column have in Arrow.
  package var arrowType: DataType

  package var name: String { path.joined(separator: ".") }
}

/// An Arrow field over the leaf columns that hold it, with the levels at which its values begin and are there.
package struct ColumnNode: Sendable, Hashable {
  package indirect enum Kind: Sendable, Hashable {
    /// The leaf column of that index.
    case leaf(Int)
    case structure([ColumnNode])
    /// A list of the node's values. An element is there from `definitionLevel + 1` on; a slot whose repetition level is
    /// at most the list's `repetitionLevel` begins a new list.
    case list(ColumnNode)
    /// A list of entries, the node being a structure of key and value.
    case map(ColumnNode)
  }

  /// The field as a reader gets it.
  package var field: Field
  /// A slot of this definition level or above holds a value of this node, one below it a null of it or of an ancestor.
  package var definitionLevel: Int
  /// How many repeated fields stand above the node's values.
  package var repetitionLevel: Int
  package var kind: Kind
  /// The leaf columns below, which are consecutive.
  package var leaves: Range<Int>
}

/// The schema of a Parquet file, flat as the footer has it, as leaves, and as Arrow fields.
package struct ParquetSchema: Sendable, Hashable {
  package let elements: [SchemaElement]
  package let leaves: [LeafColumn]
  /// One node per column of the table.
  package let columns: [ColumnNode]

  /// - Throws: `.invalidSchema`, `.unsupportedType`.
  package init(elements: [SchemaElement]) throws(ParquetError) {
    var parser = SchemaParser(elements: elements)
    self.columns = try parser.parse()
    self.leaves = parser.leaves
    self.elements = elements
  }

  /// The fields as a reader gets them.
  package var fields: [Field] { columns.map(\.field) }

  /// The leaf column of that dotted path.
  package func leafIndex(of path: String) -> Int? { leaves.firstIndex { $0.name == path } }

  /// The column of the table of that name.
  package func columnIndex(of name: String) -> Int? { columns.firstIndex { $0.field.name == name } }
}
