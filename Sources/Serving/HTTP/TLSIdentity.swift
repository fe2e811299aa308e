import NIOSSL

/// A server's certificate and key, from files that may be replaced while it runs.
package final class TLSIdentity: Sendable {
  private let certificate: WatchedFile
  private let key: WatchedFile
  private let served: Followed<NIOSSLContext>

  /// - Parameters:
  ///   - certificate: a PEM file of the certificate and those that vouch for it.
  ///   - key: a PEM file of its private key.
  /// - Throws: when they cannot be read, or do not fit each other.
  package init(certificate: String, key: String) throws(TLSIdentityError) {
    self.certificate = WatchedFile(certificate)
    self.key = WatchedFile(key)
    let stamp = Self.stamp(self.certificate, self.key)
    served = Followed(try Self.context(self.certificate, self.key), stamp: stamp)
  }

  /// What the next connection is begun with.
  var context: NIOSSLContext { served.current }

  /// The directories whose changes call for `refresh`.
  package var watchedDirectories: [String] { [certificate.directory, key.directory] }

  /// Takes up new files for new connections, if there are any.
  ///
  /// - Throws: what is wrong with them, once for each change; the old ones stay.
  package func refresh() throws(TLSIdentityError) {
    try served.refresh(stamp: Self.stamp(certificate, key)) { _ throws(TLSIdentityError) in
      try Self.context(certificate, key)
    }
  }

  /// Makes `refresh` read the files again, changed or not.
  package func forget() { served.forget() }

  private static func stamp(_ certificate: WatchedFile, _ key: WatchedFile) -> String {
    "\(certificate.stamp ?? "") \(key.stamp ?? "")"
  }

  private static func context(
    _ certificate: WatchedFile, _ key: WatchedFile
  ) throws(TLSIdentityError) -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate.path)
      let privateKey = try NIOSSLPrivateKey(file: key.path, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
      configuration.applicationProtocols = ["h2", "http/1.1"]
      configuration.minimumTLSVersion = .tlsv12
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw TLSIdentityError(certificate: certificate.path, key: key.path, reason: "\(error)")
    }
  }
}

/// A certificate and a key that cannot be used.
package struct TLSIdentityError: Error, CustomStringConvertible {
  var certificate: String
  var key: String
  var reason: String

  package var description: String {
    "\(certificate), \(key): no certificate with its key: \(reason); give PEM files that belong together"
  }
}
