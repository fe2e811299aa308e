// A commit is newline-delimited JSON: one object a line, its single key the action's name.
//   {"add":{"path":"bucket=2026-11-20/…","partitionValues":{…},"size":1,"modificationTime":1,"dataChange":true}}
// Members this version does not know are left out; null is the same as absent.
import JSONText

extension Action {
  /// The actions of one commit's text.
  /// - Throws: `.malformed` with the line.
  package static func parse(commit text: String) throws(DeltaError) -> [Action] {
    var actions: [Action] = []
    var number = 0
    for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      do {
        actions.append(contentsOf: try parse(line: String(decoding: line, as: UTF8.self)))
      } catch {
        throw error.within("line \(number)")
      }
    }
    return actions
  }

  /// The action of one line; several members are as many actions.
  static func parse(line: String) throws(DeltaError) -> [Action] {
    let value: JSONValue
    do { value = try JSONValue(parsing: line) } catch { throw DeltaError(.malformed("no JSON: \(error)")) }
    guard let object = value.object else { throw DeltaError(.malformed("an action is no JSON object")) }
    var actions: [Action] = []
    for (name, content) in object.sorted(by: { $0.key < $1.key }) where !content.isNull {
      guard let members = content.object else { throw DeltaError(.malformed("action '\(name)' is no JSON object")) }
      actions.append(try parse(ActionMembers(action: name, members: members)))
    }
    return actions
  }

  private static func parse(_ members: ActionMembers) throws(DeltaError) -> Action {
    switch members.action {
    case "add": .add(try AddFile(members))
    case "remove": .remove(try RemoveFile(members))
    case "metaData": .metadata(try TableMetadata(members))
    case "protocol": .tableProtocol(try TableProtocol(members))
    case "txn": .transaction(try AppTransaction(members))
    case "domainMetadata": .domainMetadata(try DomainMetadata(members))
    case "commitInfo": .commitInfo(CommitInfo(members.members))
    default: .other(members.action)
    }
  }

  /// The line, without its newline; nil for an action that cannot be written.
  package var line: String? {
    let member: (String, JSONValue)? =
      switch self {
      case .add(let file): ("add", file.json)
      case .remove(let file): ("remove", file.json)
      case .metadata(let metadata): ("metaData", metadata.json)
      case .tableProtocol(let demands): ("protocol", demands.json)
      case .transaction(let transaction): ("txn", transaction.json)
      case .commitInfo(let info): ("commitInfo", .object(info.members))
      case .domainMetadata(let metadata): ("domainMetadata", metadata.json)
      case .other: nil
      }
    return member.map { JSONValue.object([$0.0: $0.1]).text }
  }
}

/// The members of one action, read by name and type.
struct ActionMembers {
  let action: String
  let members: [String: JSONValue]

  private func mistyped(_ name: String, _ wanted: String) -> DeltaError {
    DeltaError(.malformed("member '\(name)' of '\(action)' is missing or no \(wanted)"))
  }

  /// The member, or nil when it is absent or null.
  private func present(_ name: String) -> JSONValue? { members[name].flatMap { $0.isNull ? nil : $0 } }

  private func optional<Value>(
    _ name: String, _ wanted: String, _ convert: (JSONValue) -> Value?
  ) throws(DeltaError) -> Value? {
    guard let member = present(name) else { return nil }
    guard let value = convert(member) else { throw mistyped(name, wanted) }
    return value
  }

  func optionalText(_ name: String) throws(DeltaError) -> String? { try optional(name, "text") { $0.string } }

  func text(_ name: String) throws(DeltaError) -> String {
    guard let value = try optionalText(name) else { throw mistyped(name, "text") }
    return value
  }

  func optionalInteger(_ name: String) throws(DeltaError) -> Int64? {
    try optional(name, "whole number") { $0.integer ?? $0.double.flatMap { Int64(exactly: $0) } }
  }

  func integer(_ name: String) throws(DeltaError) -> Int64 {
    guard let value = try optionalInteger(name) else { throw mistyped(name, "whole number") }
    return value
  }

  func optionalFlag(_ name: String) throws(DeltaError) -> Bool? { try optional(name, "true or false") { $0.bool } }

  func value(_ name: String) -> JSONValue? { present(name) }

  func optionalTexts(_ name: String) throws(DeltaError) -> [String]? {
    try optional(name, "list of texts") { member in
      guard let elements = member.array else { return nil }
      let texts = elements.compactMap(\.string)
      return texts.count == elements.count ? texts : nil
    }
  }

  /// An object of texts and nulls; other values are taken as their JSON text.
  func optionalMap(_ name: String) throws(DeltaError) -> [String: String?]? {
    try optional(name, "object") { member in
      member.object?.mapValues { value in value.isNull ? nil : value.string ?? value.text }
    }
  }
}

/// An object under construction, without the members that are nil.
func jsonObject(_ members: [(String, JSONValue?)]) -> JSONValue {
  .object(Dictionary(members.compactMap { name, value in value.map { (name, $0) } }) { _, last in last })
}

func jsonMap(_ map: [String: String?]) -> JSONValue { .object(map.mapValues { $0.map { .string($0) } ?? .null }) }

extension AddFile {
  init(_ members: ActionMembers) throws(DeltaError) {
    self.init(
      path: try members.text("path"), partitionValues: try members.optionalMap("partitionValues") ?? [:],
      byteCount: try members.optionalInteger("size") ?? 0,
      modificationMillis: try members.optionalInteger("modificationTime") ?? 0,
      dataChange: try members.optionalFlag("dataChange") ?? true, statistics: try members.optionalText("stats"),
      tags: try members.optionalMap("tags"), deletionVector: members.value("deletionVector"))
  }

  var json: JSONValue {
    jsonObject([
      ("path", .string(path)), ("partitionValues", jsonMap(partitionValues)), ("size", .integer(byteCount)),
      ("modificationTime", .integer(modificationMillis)), ("dataChange", .bool(dataChange)),
      ("stats", statistics.map { .string($0) }), ("tags", tags.map(jsonMap)), ("deletionVector", deletionVector),
    ])
  }
}

extension RemoveFile {
  init(_ members: ActionMembers) throws(DeltaError) {
    self.init(
      path: try members.text("path"), deletionMillis: try members.optionalInteger("deletionTimestamp"),
      dataChange: try members.optionalFlag("dataChange") ?? true,
      extendedFileMetadata: try members.optionalFlag("extendedFileMetadata"),
      partitionValues: try members.optionalMap("partitionValues"), byteCount: try members.optionalInteger("size"),
      tags: try members.optionalMap("tags"), deletionVector: members.value("deletionVector"))
  }

  var json: JSONValue {
    jsonObject([
      ("path", .string(path)), ("deletionTimestamp", deletionMillis.map { .integer($0) }),
      ("dataChange", .bool(dataChange)), ("extendedFileMetadata", extendedFileMetadata.map { .bool($0) }),
      ("partitionValues", partitionValues.map(jsonMap)), ("size", byteCount.map { .integer($0) }),
      ("tags", tags.map(jsonMap)), ("deletionVector", deletionVector),
    ])
  }
}

extension TableMetadata {
  init(_ members: ActionMembers) throws(DeltaError) {
    let format = ActionMembers(action: "metaData.format", members: members.value("format")?.object ?? [:])
    self.init(
      id: try members.optionalText("id") ?? "", name: try members.optionalText("name"),
      summary: try members.optionalText("description"), provider: try format.optionalText("provider") ?? "parquet",
      providerOptions: try format.optionalMap("options") ?? [:],
      schemaString: try members.optionalText("schemaString") ?? "",
      partitionColumns: try members.optionalTexts("partitionColumns") ?? [],
      configuration: try members.optionalMap("configuration") ?? [:],
      createdMillis: try members.optionalInteger("createdTime"))
  }

  var json: JSONValue {
    jsonObject([
      ("id", .string(id)), ("name", name.map { .string($0) }), ("description", summary.map { .string($0) }),
      ("format", ["provider": .string(provider), "options": jsonMap(providerOptions)]),
      ("schemaString", .string(schemaString)), ("partitionColumns", .array(partitionColumns.map { .string($0) })),
      ("configuration", jsonMap(configuration)), ("createdTime", createdMillis.map { .integer($0) }),
    ])
  }
}

extension TableProtocol {
  init(_ members: ActionMembers) throws(DeltaError) {
    self.init(
      minReaderVersion: Int(try members.integer("minReaderVersion")),
      minWriterVersion: Int(try members.integer("minWriterVersion")),
      readerFeatures: try members.optionalTexts("readerFeatures"),
      writerFeatures: try members.optionalTexts("writerFeatures"))
  }

  var json: JSONValue {
    func list(_ names: [String]?) -> JSONValue? { names.map { .array($0.map { .string($0) }) } }
    return jsonObject([
      ("minReaderVersion", .integer(Int64(minReaderVersion))), ("minWriterVersion", .integer(Int64(minWriterVersion))),
      ("readerFeatures", list(readerFeatures)), ("writerFeatures", list(writerFeatures)),
    ])
  }
}

extension AppTransaction {
  init(_ members: ActionMembers) throws(DeltaError) {
    self.init(
      appID: try members.text("appId"), version: try members.integer("version"),
      lastUpdatedMillis: try members.optionalInteger("lastUpdated"))
  }

  var json: JSONValue {
    jsonObject([
      ("appId", .string(appID)), ("version", .integer(version)),
      ("lastUpdated", lastUpdatedMillis.map { .integer($0) }),
    ])
  }
}

extension DomainMetadata {
  init(_ members: ActionMembers) throws(DeltaError) {
    self.init(
      domain: try members.text("domain"), configuration: try members.optionalText("configuration") ?? "",
      removed: try members.optionalFlag("removed") ?? false)
  }

  var json: JSONValue {
    ["domain": .string(domain), "configuration": .string(configuration), "removed": .bool(removed)]
  }
}
