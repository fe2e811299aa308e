import Arrow
import JSONText
import NIOHTTP1
import SequenceStore

/// The body of a request for the events of several users: `users`, and the parameters of a request for one.
///
///     {"users": [1000, 1001], "last": 50, "columns": ["ts", "item_id"]}
struct BatchBody {
  /// Users of one request.
  static let userLimit = 1_000
  /// Events that the answer to one may have: `last` of each user.
  static let eventLimit = 500_000

  let parameters: RequestParameters
  private let users: [String]

  /// - Throws: 415 for what is not said to be JSON, 400 for what is none.
  init(_ question: HTTPQuestion) throws(RequestError) {
    let type = question.contentType.prefix { $0 != ";" }.lowercased().split(separator: " ").joined()
    guard type == "application/json" else {
      throw RequestError(.unsupportedMediaType, "the body is '\(type)'; send application/json")
    }
    let body = question.body
    let document: JSONValue
    do { document = try JSONValue(parsing: body.bytes) } catch {
      throw RequestError(.badRequest, "the body is no JSON: \(error)")
    }
    guard var members = document.object else { throw RequestError(.badRequest, "the body is no JSON object") }
    users = try Self.users(members.removeValue(forKey: "users"))
    // Parameters of the target would say the same in another place.
    if let name = question.target.query.names.min() {
      throw RequestError(.badRequest, "'\(name)' belongs into the body")
    }
    parameters = RequestParameters(body: members)
  }

  private static func users(_ value: JSONValue?) throws(RequestError) -> [String] {
    guard let list = value?.array, !list.isEmpty else { throw RequestError(.badRequest, "users is no list of users") }
    guard list.count <= userLimit else {
      throw RequestError(.badRequest, "users has \(list.count) users; \(userLimit) is the most")
    }
    var users: [String] = []
    for user in list {
      guard let text = user.string ?? user.whole.map({ "\($0)" }) else {
        throw RequestError(.badRequest, "users: \(user.text) is no user")
      }
      users.append(text)
    }
    return users
  }

  /// - Throws: 400 when one of the users cannot be, or the answer would be too long.
  func users(for form: SequenceForm) throws(RequestError) -> [(text: String, id: UserID)] {
    let most = Self.eventLimit / users.count
    guard form.last <= most else {
      throw RequestError(
        .badRequest,
        "\(users.count) users with \(form.last) events each are more than \(Self.eventLimit); ask for last=\(most), or for fewer users"
      )
    }
    var found: [(text: String, id: UserID)] = []
    found.reserveCapacity(users.count)
    for user in users { found.append((user, try form.user(user))) }
    return found
  }
}
