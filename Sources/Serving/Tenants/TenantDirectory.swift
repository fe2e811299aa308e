import Engine
import JSONText
import Synchronization

/// The tenants of a file, by token, and what they have used up.
package final class TenantDirectory: Sendable {
  private let file: WatchedFile
  private let tenants = Followed<[ServedTenant]>([], stamp: nil)

  /// - Throws: when the file cannot be read, or is none of tenants.
  package init(file path: String) throws {
    file = WatchedFile(path)
    try refresh()
  }

  /// The directory whose changes call for `refresh`.
  package var watchedDirectory: String { file.directory }

  /// Takes up the file's tenants if it has changed; who stays keeps what they have used up.
  ///
  /// - Throws: what is wrong with the file, once for each change; the tenants stay as they were.
  package func refresh() throws {
    try tenants.refresh(stamp: file.stamp ?? "gone") { Self.served(try load(), after: $0) }
  }

  /// Makes `refresh` read the file again, changed or not.
  package func forget() { tenants.forget() }

  private func load() throws -> [Tenant] {
    let text = try OpenFile.text(of: file.path)
    let document: JSONValue
    do { document = try JSONValue(parsing: text) } catch {
      throw TenantFileError(file: file.path, reason: "\(error)")
    }
    return try Tenant.parse(document, file: file.path)
  }

  private static func served(_ tenants: [Tenant], after earlier: [ServedTenant]) -> [ServedTenant] {
    let known = Dictionary(earlier.map { ($0.tenant.name, $0) }) { first, _ in first }
    return tenants.map { tenant in
      guard let served = known[tenant.name] else { return ServedTenant(tenant) }
      return served.tenant == tenant ? served : ServedTenant(tenant, after: served)
    }
  }

  /// The tenant with this token; nil when nobody has it. The time that it takes says nothing of any token.
  func tenant(token: some Collection<UInt8>) -> ServedTenant? {
    let hash = TokenHash(token)
    var found: ServedTenant?
    for served in tenants.current {
      for good in served.tenant.tokenHashes where good.matches(hash) { found = served }
    }
    return found
  }
}

/// A tenant, with what it has used up.
final class ServedTenant: Sendable {
  let tenant: Tenant
  /// Names it to fair queues: the same for as long as the tenant is in the file.
  let owner: Int
  private let usage: TenantUsage

  private static let owners = Atomic(0)

  init(_ tenant: Tenant) {
    self.tenant = tenant
    owner = Self.owners.add(1, ordering: .relaxed).newValue
    usage = TenantUsage(tenant)
  }

  /// The same one with other rights and limits.
  init(_ tenant: Tenant, after earlier: ServedTenant) {
    self.tenant = tenant
    owner = earlier.owner
    usage = earlier.usage
    usage.change(to: tenant)
  }

  /// Lets a request begin, or says why not and when to come again.
  func begin() -> TenantUsage.Refusal? { usage.begin(now: monotonicNanoseconds()) }

  /// A request that was let in has been answered.
  func end(byteCount: Int) { usage.end(byteCount: byteCount) }
}

/// What a tenant has used up of its limits.
package final class TenantUsage: Sendable {
  package enum Limit: String, Sendable {
    case rate, concurrency, bytes
  }

  package struct Refusal: Sendable {
    package var limit: Limit
    /// When it is worth trying again.
    package var seconds: Double
  }

  private struct State {
    var requests: TokenBucket?
    var bytes: TokenBucket?
    var concurrency: Int?
    var running = 0
  }

  private let state: Mutex<State>

  package init(_ tenant: Tenant, now nanoseconds: Int64 = monotonicNanoseconds()) {
    state = Mutex(
      State(
        requests: tenant.requestsPerSecond.map { TokenBucket(rate: $0, now: nanoseconds) },
        bytes: tenant.bytesPerSecond.map { TokenBucket(rate: $0, now: nanoseconds) }, concurrency: tenant.concurrency))
  }

  package func change(to tenant: Tenant, now nanoseconds: Int64 = monotonicNanoseconds()) {
    state.withLock { state in
      state.requests = Self.changed(state.requests, to: tenant.requestsPerSecond, now: nanoseconds)
      state.bytes = Self.changed(state.bytes, to: tenant.bytesPerSecond, now: nanoseconds)
      state.concurrency = tenant.concurrency
    }
  }

  private static func changed(_ bucket: TokenBucket?, to rate: Double?, now: Int64) -> TokenBucket? {
    guard let rate else { return nil }
    guard var bucket else { return TokenBucket(rate: rate, now: now) }
    bucket.change(rate: rate, now: now)
    return bucket
  }

  package func begin(now: Int64) -> Refusal? {
    state.withLock { state in
      if let concurrency = state.concurrency, state.running >= concurrency {
        return Refusal(limit: .concurrency, seconds: 1)
      }
      if let wait = state.bytes?.wait(for: 0, now: now), wait > 0 { return Refusal(limit: .bytes, seconds: wait) }
      if let wait = state.requests?.wait(for: 1, now: now), wait > 0 { return Refusal(limit: .rate, seconds: wait) }
      state.requests?.take(1)
      state.running += 1
      return nil
    }
  }

  package func end(byteCount: Int) {
    state.withLock { state in
      state.running -= 1
      state.bytes?.take(Double(byteCount))
    }
  }
}
