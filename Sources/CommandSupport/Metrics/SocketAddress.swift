public import ArgumentParser
import Engine
import Glibc

/// Where to listen: `127.0.0.1:9101`, `[::1]:9101`, `localhost:0`, or `:9101` for all addresses.
public struct SocketAddress: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
  package var host: String
  package var port: UInt16

  public init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...]) else {
      return nil
    }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    (self.host, self.port) = (String(host), port)
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// A socket that listens here.
  package func listen() throws(SystemError) -> Int32 {
    var failure = SystemError("listen", description, code: EADDRNOTAVAIL)
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host.isEmpty ? nil : host, "\(port)", &hints, &found) == 0 else { throw failure }
    defer { unsafe freeaddrinfo(found) }
    var next = unsafe found
    while let candidate = unsafe next?.pointee {
      do throws(SystemError) { return try unsafe listen(candidate) } catch { failure = error }
      unsafe next = candidate.ai_next
    }
    throw failure
  }

  private func listen(_ candidate: addrinfo) throws(SystemError) -> Int32 {
    let socket = unsafe Glibc.socket(candidate.ai_family, candidate.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw SystemError("listen", description) }
    var on: Int32 = 1
    unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard unsafe bind(socket, candidate.ai_addr, candidate.ai_addrlen) == 0, Glibc.listen(socket, 16) == 0 else {
      let failure = SystemError("listen", description)
      close(socket)
      throw failure
    }
    return socket
  }

  /// The port that a listening socket got.
  package static func port(of socket: Int32) -> UInt16 {
    var address = sockaddr_storage()
    var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let bytes = unsafe withUnsafeMutableBytes(of: &address) { bytes -> [UInt8] in
      let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      guard unsafe getsockname(socket, pointer, &byteCount) == 0 else { return [0, 0, 0, 0] }
      return unsafe Array(bytes.prefix(4))
    }
    // IPv4 and IPv6 addresses have the port at the same place.
    return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
  }
}
