import Arrow

/// What an enrichment's embedding column is narrowed to before it is stored.
package enum Quantization: String, Sendable, Hashable, CaseIterable {
  /// Each element as the nearest half-precision number.
  case float16
  /// Each element as round(x / scale), where the row's scale, its largest magnitude / 127, is stored beside it.
  case int8
}

/// A column that a look-up adds.
package struct LookupColumn: Sendable, Hashable {
  package var name: String
  /// The column's name in the table.
  package var source: String
  /// The type that the table's values are read as.
  package var sourceType: DataType
  package var quantization: Quantization?

  package init(name: String, source: String, sourceType: DataType, quantization: Quantization? = nil) {
    self.name = name
    self.source = source
    self.sourceType = sourceType
    self.quantization = quantization
  }

  /// What is stored: the column itself, and after it `NAME_scale` where int8 needs one.
  package var outputs: [Field] {
    guard let quantization, case .fixedSizeList(_, let count) = sourceType else { return [Field(name, sourceType)] }
    switch quantization {
    case .float16: return [Field(name, DataType.float16.fixedSizeListType(count: count))]
    case .int8: return [Field(name, DataType.int8.fixedSizeListType(count: count)), Field(name + "_scale", .float32)]
    }
  }
}

/// A table whose rows enrich events by key.
package struct LookupDefinition: Sendable, Hashable {
  /// Whether the table's keys are compared as integers or as text.
  package enum KeyKind: String, Sendable, Hashable, CaseIterable {
    case integer = "int64"
    case string

    package var arrowType: DataType { self == .integer ? .int64 : .utf8 }
  }

  package var name: String
  /// The file's path: Parquet, NDJSON or CSV, relative to the tables' directory.
  package var table: String
  package var key: String
  package var keyKind: KeyKind
  /// The time from which a row holds; an event gets the latest row that is not after it.
  package var asOf: AsOf?
  package var columns: [LookupColumn]

  /// Where the table is.
  package func path(in directory: String) -> String { table.hasPrefix("/") ? table : directory + "/" + table }
}

/// The column of a table that holds the time from which a row holds.
package struct AsOf: Sendable, Hashable {
  package var column: String
  /// How numbers and text in the column are times; a column of timestamps needs no such reading.
  package var text: TimestampText

  package init(column: String, text: TimestampText) {
    self.column = column
    self.text = text
  }
}

/// The use of a look-up by an event type.
package struct LookupUse: Sendable, Hashable {
  package var lookup: String
  /// The column whose values are looked up: one of the event's own or of an earlier enrichment.
  package var on: String
  /// Put before the names of the look-up's columns, so that one event may use one table twice.
  package var prefix: String

  package init(lookup: String, on: String, prefix: String = "") {
    self.lookup = lookup
    self.on = on
    self.prefix = prefix
  }
}
