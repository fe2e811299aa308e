import Buffers
import JSONText
import NIOHTTP1

/// A response.
package struct HTTPAnswer: Sendable {
  package var status: HTTPResponseStatus
  package var contentType: String
  package var body: HTTPBody
  package var headers: [(name: String, value: String)] = []
  /// The route as metrics name it: never a path, so that users do not become labels.
  package var route = "unknown"
  /// The sequence that it is about, one of the definitions'; metrics name it.
  package var sequence: String?
  /// Whether the connection ends with it.
  var closes = false

  package init(_ status: HTTPResponseStatus, contentType: String, body: Buffer) {
    self.init(status, contentType: contentType, body: .bytes(body))
  }

  package init(_ status: HTTPResponseStatus, contentType: String, body: HTTPBody) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  package init(_ status: HTTPResponseStatus = .ok, json: JSONValue) {
    self.init(status, contentType: "application/json", text: json.text + "\n")
  }

  package init(_ status: HTTPResponseStatus = .ok, contentType: String = "text/plain; charset=utf-8", text: String) {
    self.init(status, contentType: contentType, body: Buffer(Array(text.utf8)))
  }

  /// An error that a client can act on.
  package init(_ status: HTTPResponseStatus, error message: String) {
    self.init(status, json: ["error": .string(message), "status": .integer(Int64(status.code))])
  }

  package init(_ error: RequestError) {
    self.init(error.status, error: error.message)
    headers = error.headers
  }

  /// The answer to a request that is refused before any route sees it.
  init(refusing error: RequestError) {
    self.init(error)
    route = "refused"
    closes = error.closes
  }
}

/// The body of a response.
package enum HTTPBody: Sendable {
  /// At once, with its length in the head.
  case bytes(Buffer)
  /// Piece by piece, for what is too large to be held: a piece is made when the one before has been taken by the client's
  /// connection, so that memory stays flat.
  case chunks(any HTTPChunks)
}

/// The pieces of a body, asked for one after another, on any thread that may block.
package protocol HTTPChunks: AnyObject, Sendable {
  /// The next piece; nil after the last one. Pieces of about 64 KiB to 1 MiB travel well.
  /// - Throws: what cuts the body short; the client sees that it is not whole.
  func next() throws -> Buffer?
}

/// What a route has to say: an answer, or how to make one.
package enum HTTPReply: Sendable {
  case now(HTTPAnswer)
  /// Made on a thread of a pool that may block and take long, when it is the caller's turn.
  case later(@Sendable () -> HTTPAnswer)

  /// The same with its route and sequence as metrics name them.
  func named(_ route: String, sequence: String?) -> HTTPReply {
    switch self {
    case .now(var answer):
      (answer.route, answer.sequence) = (route, sequence)
      return .now(answer)
    case .later(let make):
      return .later {
        var answer = make()
        (answer.route, answer.sequence) = (route, sequence)
        return answer
      }
    }
  }
}

/// What went wrong with a request, as its client is told.
package struct RequestError: Error {
  package var status: HTTPResponseStatus
  package var message: String
  package var headers: [(name: String, value: String)] = []
  /// Whether what follows on the connection cannot be told apart from this request.
  var closes = false

  package init(_ status: HTTPResponseStatus = .badRequest, _ message: String) {
    self.status = status
    self.message = message
  }

  init(closing status: HTTPResponseStatus, _ message: String) {
    self.init(status, message)
    closes = true
  }
}
