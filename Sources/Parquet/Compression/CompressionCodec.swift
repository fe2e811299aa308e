/// How the pages of a column chunk are compressed.
/// - Source: `parquet.thrift`, `CompressionCodec`; the raw values are Thrift's.
package enum CompressionCodec: UInt8, Sendable, Hashable, CaseIterable {
  case uncompressed = 0
  case snappy = 1
  case gzip = 2
  case lzo = 3
  case brotli = 4
  /// Deprecated: LZ4 in Hadoop's framing, or whatever its writer took for it.
  case lz4 = 5
  case zstd = 6
  case lz4Raw = 7

  /// Whether pages of this codec can be read.
  package var isSupported: Bool { self != .brotli && self != .lzo }

  /// As the format names it: `ZSTD`, `LZ4_RAW`.
  package var name: String {
    switch self {
    case .uncompressed: "UNCOMPRESSED"
    case .snappy: "SNAPPY"
    case .gzip: "GZIP"
    case .lzo: "LZO"
    case .brotli: "BROTLI"
    case .lz4: "LZ4"
    case .zstd: "ZSTD"
    case .lz4Raw: "LZ4_RAW"
    }
  }
}
