import NIOHTTP1

/// Lets requests in, or not: who asks, may they, and not too much of it.
package struct Gate: Sendable {
  /// nil: everybody may read everything.
  private let tenants: TenantDirectory?

  package init(tenants: TenantDirectory? = nil) { self.tenants = tenants }

  /// Who a request came from.
  struct Caller: Sendable {
    var tenant: ServedTenant?
    var access: Access

    /// Names the caller to fair queues; all that are nobody's tenants share one turn.
    var owner: Int { tenant?.owner ?? 0 }

    /// Their request has been answered.
    func leave(byteCount: Int) { tenant?.end(byteCount: byteCount) }
  }

  /// What anybody may ask, and what this machine may, too.
  private enum Door {
    case open, local, tenants

    init(path: [String]) {
      switch path {
      case ["healthz"], ["readyz"]: self = .open
      case [], ["explore"], ["metrics"]: self = .local
      default: self = .tenants
      }
    }
  }

  /// - Parameter isLocal: whether the request came over a loopback address.
  /// - Throws: 401 when the caller is unknown, 429 when a limit is reached.
  func admit(_ head: HTTPRequestHead, path: [String], isLocal: Bool) throws(Refusal) -> Caller {
    guard let tenants else { return Caller(access: .everything) }
    let token = Self.token(head)
    guard let served = token.flatMap({ tenants.tenant(token: $0.utf8) }) else {
      switch Door(path: path) {
      case .open: return Caller(access: .nothing)
      case .local where isLocal: return Caller(access: .everything)
      default: throw Refusal(.unknownCaller(hasToken: token != nil))
      }
    }
    if let refusal = served.begin() { throw Refusal(.limited(refusal), tenant: served, limit: refusal.limit) }
    return Caller(tenant: served, access: served.tenant.access)
  }

  struct Refusal: Error {
    var error: RequestError
    var tenant: ServedTenant?
    var limit: TenantUsage.Limit?

    init(_ error: RequestError, tenant: ServedTenant? = nil, limit: TenantUsage.Limit? = nil) {
      self.error = error
      self.tenant = tenant
      self.limit = limit
    }
  }

  /// - Source: RFC 6750, 2.1; RFC 9110, 11.4: the scheme's case does not matter.
  private static func token(_ head: HTTPRequestHead) -> Substring? {
    guard let text = head.headers.first(name: "authorization"), text.count > 7,
      text.prefix(7).lowercased() == "bearer "
    else { return nil }
    return text.dropFirst(7).drop { $0 == " " }
  }
}

extension RequestError {
  /// - Source: RFC 6750, 3.
  fileprivate static func unknownCaller(hasToken: Bool) -> RequestError {
    var error = RequestError(
      .unauthorized, hasToken ? "nobody has this token" : "a token is needed: Authorization: Bearer TOKEN")
    error.headers = [("www-authenticate", #"Bearer realm="seqline""# + (hasToken ? #", error="invalid_token""# : ""))]
    return error
  }

  fileprivate static func limited(_ refusal: TenantUsage.Refusal) -> RequestError {
    let seconds = max(1, Int(min(refusal.seconds, 3_600).rounded(.up)))
    let what =
      switch refusal.limit {
      case .rate: "requests_per_second"
      case .concurrency: "concurrency"
      case .bytes: "bytes_per_second"
      }
    var error = RequestError(.tooManyRequests, "\(what) is reached; try again in \(seconds) s")
    error.headers = [("retry-after", "\(seconds)")]
    return error
  }
}
