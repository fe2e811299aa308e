/// How a file is written. The defaults suit tables that are read a user at a time.
package struct ParquetWriterOptions: Sendable {
  /// What differs for one column of the table; nil leaves the file's setting.
  package struct Column: Sendable {
    /// zstd's or gzip's level.
    package var level: Int?
    /// Of all pages, however many bytes they take.
    package var pageRowCount: Int?
    /// The only encoding to use; nil lets measurement choose.
    package var encoding: Encoding?
    /// False keeps the column out of dictionaries; nil lets measurement choose.
    package var usesDictionary: Bool?
    /// Whether pages and chunks get their smallest and largest value. Nil: all but repeated floats do.
    package var hasBounds: Bool?
    /// Whether the chunks get a bloom filter.
    package var hasBloomFilter = false
    /// Timestamps in microseconds are stored in milliseconds, at which they must be whole.
    package var storesMilliseconds = false

    package init() {}
  }

  /// Encodings that no column uses unless told to, for readers that lack them: the vectorized readers of Spark 3 and 4.0,
  /// say, refuse BYTE_STREAM_SPLIT.
  package var avoidedEncodings: Set<Encoding> = []
  package var codec: CompressionCodec = .zstd
  package var level = 3
  /// Rows per page, at most. A page is what a point read decompresses.
  package var pageRowCount = 1024
  /// Bytes of a page as it is stored, about: a column of wider values gets pages of fewer rows. Nil: rows alone count.
  package var storedPageByteCount: Int? = 2 << 10
  /// Rows of such a page, at least.
  package var leastPageRowCount = 64
  /// Rows per page of a column with lists of floats. Equal lists are stored once a page, so longer pages are smaller.
  package var vectorPageRowCount = 8192
  /// Bytes of a page's values in one leaf, about which it ends before it has all its rows.
  package var pageByteCount = 4 << 20
  /// Rows per row group, at most.
  package var rowGroupRowCount = 1 << 20
  /// Compressed bytes of a row group, about which it ends.
  package var rowGroupByteCount = 128 << 20
  /// Bytes of a chunk's dictionary, at most; past it the chunk goes on without.
  package var dictionaryByteCount = 1 << 20
  /// Of looking a value up that is not there.
  package var bloomFalsePositiveRate = 0.01
  /// Bytes of a bound in statistics and column index; longer ones are cut.
  package var boundByteCount = 64
  /// The columns by which the rows are sorted, ascending, nulls last: the caller's promise.
  package var sortedBy: [String] = []
  /// By name of the table's column; it holds for all leaves below.
  package var columns: [String: Column] = [:]
  package var createdBy = "seqline"
  /// Entries of the footer beside the schema's metadata.
  package var metadata: [String: String] = [:]

  package init() {}
}
