import JSONText
import Serving
import TestSupport
import Testing

/// docs/openapi.yaml is what the server does.
@Suite(.enabled(if: Peer.isPresent, "no Python with the other engines is set up"), .serialized)
struct OpenAPITests {
  private static let document = SharedData.packageRoot + "/docs/openapi.yaml"

  @Test func theDocumentHasTheRoutesAndParametersOfTheServer() throws {
    let stated = try #require(try Peer.run("openapi", "parameters", Self.document).object)
    #expect(stated.keys.sorted() == SequenceAPI.routes.map(\.template).sorted())
    for route in SequenceAPI.routes {
      let methods = try #require(stated[route.template]?.object)
      #expect(methods.keys.sorted() == route.methods.sorted(), "\(route.template)")
    }
    let names = SequenceAPI.eventParameters.sorted().map { JSONValue.string($0) }
    #expect(stated["/v1/sequences/{sequence}/users/{user}"]?["GET"]?["query"] == .array(names))
    let members = (SequenceAPI.eventParameters + ["users"]).sorted().map { JSONValue.string($0) }
    #expect(stated["/v1/sequences/{sequence}:batch"]?["POST"]?["body"] == .array(members))
  }

  @Test func schemathesisFindsNoFailure() throws {
    let made = try ExampleStore.engagement()
    let server = try RunningServer(["--store", made.store], in: made.path)
    let found = try Peer.run("openapi", "check", Self.document, server.url)
    #expect(found["status"] == 0, "\(found["output"]?.string ?? "")")
    #expect(try HTTPClient(port: server.port).get("/healthz").status == 200)
  }

  @Test func schemathesisFindsNoFailureForATenant() throws {
    let made = try ExampleStore.engagement()
    let hash = try made.run("printf %s secret | sha256sum | cut -c1-64").prefix(64)
    let tenants = #"{"tenants":[{"name":"a","token_sha256":"\#(hash)","sequences":{"*":"*"}}]}"#
    made.directory.write(tenants, to: "tenants.json")
    let server = try RunningServer(["--store", made.store, "--tenants", "tenants.json"], in: made.path)
    let found = try Peer.run("openapi", "check", Self.document, server.url, "secret")
    #expect(found["status"] == 0, "\(found["output"]?.string ?? "")")
  }
}
