import Glibc

/// How many files and connections the process may have open.
package enum DescriptorLimit {
  /// Lets it have as many as the system allows it.
  package static func raise() {
    guard var limit = current else { return }
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(resource, &limit)
  }

  /// How many it may have now.
  package static var count: Int { current.map { Int(clamping: $0.rlim_cur) } ?? 1_024 }

  private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }

  private static var current: rlimit? {
    var limit = rlimit()
    return unsafe getrlimit(resource, &limit) == 0 ? limit : nil
  }
}
