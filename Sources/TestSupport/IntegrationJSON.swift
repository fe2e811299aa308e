import Arrow
import JSONText

/// A table in the JSON form of Arrow's integration tests, as the expectation of what a reader finds.
/// - Source: Arrow documentation, "Integration Testing", "JSON test data format".
public struct IntegrationJSON {
  private let document: JSONValue
  private var dictionaries: [Int64: (column: JSONValue, field: JSONValue)] = [:]

  public init(_ document: JSONValue) {
    self.document = document
    for field in fields { noteDictionaries(field) }
  }

  private mutating func noteDictionaries(_ field: JSONValue) {
    for child in field["children"]?.array ?? [] { noteDictionaries(child) }
    guard let id = field["dictionary"]?["id"]?.integer, let all = document["dictionaries"]?.array else { return }
    guard let column = all.first(where: { $0["id"]?.integer == id })?["data"]?["columns"]?.array?.first else { return }
    guard case .object(var values) = field else { return }
    values["dictionary"] = nil
    dictionaries[id] = (column, .object(values))
  }

  private var fields: [JSONValue] { document["schema"]?["fields"]?.array ?? [] }
  private var batches: [JSONValue] { document["batches"]?.array ?? [] }

  /// The schema; nil when it has a type that Seqline has not.
  public var schema: Schema? {
    let read = fields.map { field($0) }
    if read.contains(nil) { return nil }
    return Schema(read.map { $0! }, metadata: metadata(document["schema"]!))
  }

  /// The first difference between the expected rows and `found`; nil when there is none.
  public func difference(from found: [RecordBatch]) -> String? {
    if found.count != batches.count { return "\(found.count) batches, expected \(batches.count)" }
    for (number, (batch, expected)) in zip(found, batches).enumerated() {
      if batch.rowCount != Int(expected["count"]!.integer!) { return "batch \(number) has \(batch.rowCount) rows" }
      for (index, column) in (expected["columns"]?.array ?? []).enumerated() {
        for row in 0..<batch.rowCount {
          let value = value(column, fields[index], row)
          let actual = batch.columns[index].plainValue(row)
          if value != actual { return "batch \(number), column \(index), row \(row): \(actual), expected \(value)" }
        }
      }
    }
    return nil
  }

  // MARK: Values

  private func value(_ column: JSONValue, _ field: JSONValue, _ row: Int) -> JSONValue {
    if let valid = column["VALIDITY"]?.array, valid[row].integer == 0 { return .null }
    let data = column["DATA"]?.array
    if let id = field["dictionary"]?["id"]?.integer, let dictionary = dictionaries[id] {
      return value(dictionary.column, dictionary.field, Int(data![row].integer!))
    }
    let children = zip(column["children"]?.array ?? [], field["children"]?.array ?? [])
    switch field["type"]!["name"]!.string! {
    case "null": return .null
    case "list", "largelist", "map":
      let offsets = column["OFFSET"]!.array!
      let (child, childField) = children.first { _ in true }!
      return .array((number(offsets[row])..<number(offsets[row + 1])).map { value(child, childField, $0) })
    case "fixedsizelist":
      let length = Int(field["type"]!["listSize"]!.integer!)
      let (child, childField) = children.first { _ in true }!
      return .array((row * length..<(row + 1) * length).map { value(child, childField, $0) })
    case "struct": return .array(children.map { value($0, $1, row) })
    case "runendencoded":
      let pairs = Array(children)
      let run = pairs[0].0["DATA"]!.array!.firstIndex { number($0) > row }!
      return value(pairs[1].0, pairs[1].1, run)
    case let name: return scalar(data![row], name, field["type"]!)
    }
  }

  private func number(_ offset: JSONValue) -> Int { Int(offset.integer ?? Int64(offset.string!)!) }

  private func scalar(_ value: JSONValue, _ type: String, _ details: JSONValue) -> JSONValue {
    switch type {
    case "floatingpoint":
      return details["precision"]?.string == "SINGLE" ? .number(Double(Float(value.double!))) : .number(value.double!)
    case "bool": return .bool(value.bool ?? (value.integer == 1))
    case "binary", "largebinary", "fixedsizebinary": return .string(value.string!.lowercased())
    case "utf8", "largeutf8", "decimal": return value
    default: return value.string.map { Int64($0).map { .integer($0) } ?? value } ?? value
    }
  }

  // MARK: Schema

  private func metadata(_ holder: JSONValue) -> [String: String] {
    let pairs = (holder["metadata"]?.array ?? []).map { ($0["key"]!.string!, $0["value"]!.string!) }
    return Dictionary(pairs) { _, last in last }
  }

  private func field(_ field: JSONValue) -> Field? {
    let children = (field["children"]?.array ?? []).map { self.field($0) }
    if children.contains(nil) { return nil }
    guard var type = type(field["type"]!, children.map { $0! }) else { return nil }
    if let dictionary = field["dictionary"] {
      guard let index = self.type(dictionary["indexType"]!, []) else { return nil }
      type = .dictionary(index: index, value: type, isOrdered: dictionary["isOrdered"]!.bool!)
    }
    return Field(
      field["name"]!.string!, type, isNullable: field["nullable"]!.bool!, metadata: metadata(field))
  }

  private func type(_ type: JSONValue, _ children: [Field]) -> DataType? {
    func integer(_ key: String) -> Int { Int(type[key]?.integer ?? 0) }
    switch type["name"]!.string! {
    case "null": return .null
    case "bool": return .boolean
    case "utf8", "largeutf8": return .utf8
    case "binary", "largebinary": return .binary
    case "fixedsizebinary": return .fixedSizeBinary(byteWidth: integer("byteWidth"))
    case "int":
      let types: [Int: [DataType]] = [
        8: [.uint8, .int8], 16: [.uint16, .int16], 32: [.uint32, .int32], 64: [.uint64, .int64],
      ]
      return types[integer("bitWidth")]![type["isSigned"]!.bool! ? 1 : 0]
    case "floatingpoint":
      return ["HALF": .float16, "SINGLE": .float32, "DOUBLE": .float64][type["precision"]!.string!]
    case "decimal" where type["bitWidth"] == nil || integer("bitWidth") == 128:
      return .decimal128(precision: integer("precision"), scale: integer("scale"))
    case "date": return type["unit"]!.string == "DAY" ? .date32 : .date64
    case "time": return integer("bitWidth") == 32 ? .time32(unit(type)) : .time64(unit(type))
    case "timestamp": return .timestamp(unit(type), zone: type["timezone"]?.string)
    case "duration": return .duration(unit(type))
    case "list", "largelist": return .list(children[0])
    case "fixedsizelist": return .fixedSizeList(children[0], count: integer("listSize"))
    case "struct": return .structure(children)
    case "runendencoded": return .dictionary(index: .int32, value: children[1].type.valueType, isOrdered: false)
    case "map": return .map(entries: canonical(children[0]), keysSorted: type["keysSorted"]!.bool!)
    default: return nil
    }
  }

  /// The names that Arrow's C++ writer, which made the streams, gives a map's parts whatever they are called.
  private func canonical(_ entries: Field) -> Field {
    guard case .structure(var pair) = entries.type else { return entries }
    (pair[0].name, pair[1].name) = ("key", "value")
    return Field("entries", .structure(pair), isNullable: entries.isNullable, metadata: entries.metadata)
  }

  private func unit(_ type: JSONValue) -> TimeUnit {
    ["SECOND": .second, "MILLISECOND": .milli, "MICROSECOND": .micro, "NANOSECOND": .nano][type["unit"]!.string!]!
  }
}

extension ArrowArray {
  /// As `value(at:)`, but structures are lists of their fields' values, since names may repeat.
  fileprivate func plainValue(_ index: Int) -> JSONValue {
    if isNull(index) { return .null }
    switch storage {
    case .list(_, let child), .fixedSizeList(let child): return .array(range(index).map { child.plainValue($0) })
    case .structure(let children): return .array(children.map { $0.plainValue(index) })
    case .dictionary(_, let values): return values.plainValue(dictionaryIndex(index))
    default: return value(at: index)
    }
  }
}
