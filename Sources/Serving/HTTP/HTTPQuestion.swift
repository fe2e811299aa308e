import Buffers
import NIOHTTP1

/// What a request is about, as far as a route needs it.
package final class HTTPQuestion: Sendable {
  package let method: HTTPMethod
  package let target: HTTPTarget
  package let accept: String
  package let contentType: String
  /// The body of a POST, whole; of other methods it is passed over.
  package let body: Buffer
  /// What the caller may read.
  package let access: Access

  init(_ head: HTTPRequestHead, _ target: HTTPTarget, access: Access) {
    (method, self.target, self.access, body) = (head.method, target, access, .empty)
    accept = Self.list(head.headers, "accept")
    contentType = head.headers.first(name: "content-type") ?? ""
  }

  /// The same with a body.
  init(_ question: HTTPQuestion, body: Buffer) {
    (method, target, access, self.body) = (question.method, question.target, question.access, body)
    (accept, contentType) = (question.accept, question.contentType)
  }

  package var path: [String] { target.path }

  /// All values of a field, which mean the same in one.
  private static func list(_ headers: HTTPHeaders, _ name: String) -> String {
    let values = headers[name]
    return values.count == 1 ? values[0] : values.joined(separator: ",")
  }
}
