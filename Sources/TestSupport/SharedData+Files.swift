import Buffers
import Foundation

extension SharedData {
  /// Whether the conformance suites are there.
  public static var isPresent: Bool { root.map { exists($0 + "/conformance") } ?? false }

  /// The files below `folder` whose names end in `suffix`, as paths from the root, sorted.
  public static func files(in folder: String, suffix: String = "") -> [String] {
    guard let root, let all = FileManager.default.enumerator(atPath: root + "/" + folder) else { return [] }
    return all.compactMap { $0 as? String }.filter { name in
      let url = URL(fileURLWithPath: "\(root)/\(folder)/\(name)")
      let values = try? url.resourceValues(forKeys: [.isRegularFileKey])
      return name.hasSuffix(suffix) && values?.isRegularFile == true
    }.map { folder + "/" + $0 }.sorted()
  }

  /// The file at `path` from the root.
  public static func bytes(_ path: String) throws -> Buffer { try Files.read((root ?? "") + "/" + path) }
}

/// Files of tests.
public enum Files {
  public static func read(_ path: String) throws -> Buffer {
    Buffer([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  public static func write(_ bytes: Buffer, to path: String) throws {
    try unsafe bytes.withUnsafeBytes { unsafe Data($0) }.write(to: URL(fileURLWithPath: path))
  }
}
