import JSONText

/// Who may read what, and how much of it.
///
///     {"name": "ranking",
///      "token_sha256": ["e3316e2bafebb6103a3418e8778c0adc960d40213a03a7e7f4fcd3426ed807bf"],
///      "sequences": {"home_feed": ["ts", "item_id"], "search": "*"},
///      "requests_per_second": 500, "concurrency": 16, "bytes_per_second": 10000000}
///
/// `*` instead of columns is all of them, instead of a sequence all others. A limit that is absent does not limit.
package struct Tenant: Sendable, Equatable {
  package var name: String
  /// Of each token that is good, so that tokens can be exchanged without a gap.
  package var tokenHashes: [TokenHash]
  package var access: Access
  package var requestsPerSecond: Double?
  package var concurrency: Int?
  package var bytesPerSecond: Double?
}

/// What is wrong with a file of tenants.
package struct TenantFileError: Error, CustomStringConvertible {
  var file: String
  var reason: String

  package var description: String { "\(file): \(reason)" }
}

extension Tenant {
  /// Reads a document `{"tenants": [ … ]}`.
  /// - Throws: when a member is missing, unknown or of another form, or a name or token stands twice.
  package static func parse(_ document: JSONValue, file: String) throws(TenantFileError) -> [Tenant] {
    guard let members = document.object, members.count == 1, let list = members["tenants"]?.array else {
      throw TenantFileError(file: file, reason: #"it is no object {"tenants": […]}"#)
    }
    var tenants: [Tenant] = []
    for (index, value) in list.enumerated() {
      let place = "tenants[\(index)]" + (value["name"]?.string.map { " '\($0)'" } ?? "")
      do throws(Fault) {
        let tenant = try Tenant(value)
        if tenants.contains(where: { $0.name == tenant.name }) { throw Fault("another one has this name") }
        let hashes = Set(tenant.tokenHashes)
        if hashes.count < tenant.tokenHashes.count
          || tenants.contains(where: { !hashes.isDisjoint(with: $0.tokenHashes) })
        {
          throw Fault("a token's hash stands twice")
        }
        tenants.append(tenant)
      } catch {
        throw TenantFileError(file: file, reason: "\(place): \(error.reason)")
      }
    }
    return tenants
  }

  private struct Fault: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private static let members: Set<String> = [
    "name", "token_sha256", "sequences", "requests_per_second", "concurrency", "bytes_per_second",
  ]

  private init(_ value: JSONValue) throws(Fault) {
    guard let members = value.object else { throw Fault("it is no object") }
    if let unknown = members.keys.sorted().first(where: { !Self.members.contains($0) }) {
      throw Fault("there is no member '\(unknown)'; use \(Self.members.sorted().joined(separator: ", "))")
    }
    guard let name = value["name"]?.string, !name.isEmpty else { throw Fault("it has no name") }
    self.name = name
    tokenHashes = try Self.hashes(value["token_sha256"])
    access = try Self.access(value["sequences"])
    requestsPerSecond = try Self.limit(value, "requests_per_second")
    bytesPerSecond = try Self.limit(value, "bytes_per_second")
    concurrency = try Self.limit(value, "concurrency").map { Int(min($0.rounded(.up), 1e9)) }
  }

  private static func hashes(_ value: JSONValue?) throws(Fault) -> [TokenHash] {
    let texts = value?.array ?? value.map { [$0] } ?? []
    var hashes: [TokenHash] = []
    for text in texts {
      guard let hash = text.string.flatMap({ TokenHash(hexadecimal: $0) }) else {
        throw Fault("token_sha256 holds what is no SHA-256 in 64 hexadecimal digits")
      }
      hashes.append(hash)
    }
    if hashes.isEmpty { throw Fault("token_sha256 is missing: the SHA-256 of its token, or several") }
    return hashes
  }

  private static func access(_ value: JSONValue?) throws(Fault) -> Access {
    guard let sequences = value?.object else {
      throw Fault(#"sequences is missing: {"NAME": ["COLUMN", …] or "*", …}"#)
    }
    var columns: [String: Set<String>?] = [:]
    for (sequence, rule) in sequences {
      if rule == "*" {
        columns.updateValue(nil, forKey: sequence)
      } else if let names = rule.array?.map(\.string), !names.isEmpty, !names.contains(nil) {
        columns[sequence] = Set(names.compactMap { $0 })
      } else {
        throw Fault(#"sequences: '\#(sequence)' has neither "*" nor a list of columns"#)
      }
    }
    return Access(columns)
  }

  private static func limit(_ value: JSONValue, _ name: String) throws(Fault) -> Double? {
    guard let member = value[name] else { return nil }
    guard let number = member.double, number > 0, number.isFinite else { throw Fault("\(name) is no number above 0") }
    return number
  }
}
