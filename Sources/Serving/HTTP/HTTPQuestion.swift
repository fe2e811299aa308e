import Buffers
import NIOHTTP1

/// What a request is about, as far as a route needs it.
package struct HTTPQuestion: Sendable {
  package var method: HTTPMethod
  package var target: HTTPTarget
  package var accept: String
  package var contentType: String
  /// The body of a POST, whole; of other methods it is passed over.
  package var body = Buffer.empty
  /// What the caller may read.
  package var access: Access

  /// - Throws: `RequestError` when the target is not a path with well-formed escapes.
  init(_ head: HTTPRequestHead, access: Access = .everything) throws(RequestError) {
    method = head.method
    target = try HTTPTarget(head.uri)
    accept = Self.list(head.headers, "accept")
    contentType = head.headers.first(name: "content-type") ?? ""
    self.access = access
  }

  package var path: [String] { target.path }

  /// All values of a field, which mean the same in one.
  private static func list(_ headers: HTTPHeaders, _ name: String) -> String {
    let values = headers[name]
    return values.count == 1 ? values[0] : values.joined(separator: ",")
  }
}
