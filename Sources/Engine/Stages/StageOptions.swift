/// What a stage writes.
package enum OutputFormat: String, CaseIterable, Sendable {
  case frames, ndjson, arrow, parquet
}

/// How timestamps look in NDJSON: text, or an integer since 1970.
package enum TimestampFormat: String, CaseIterable, Sendable {
  case rfc3339, s, ms, us
}

/// How a stage runs, whatever it does.
package struct StageOptions: Sendable {
  package var inputs: [String]
  /// Whether text is CSV whatever its file is called.
  package var isCSV = false
  /// A file to write, or `-` for standard output.
  package var output = "-"
  /// All threads of the stage, of which one may wait for a pipe.
  package var threads: Int
  /// Nil: NDJSON on a terminal, else frames.
  package var format: OutputFormat?
  /// zstd level of frames, 0 for stored; nil: 0 into a pipe, 3 into a file.
  package var level: Int?
  /// Only these columns; nil: all.
  package var columns: [String]?
  package var timestamps: TimestampFormat
  package var deadLetters: String?
  package var maximumErrors: Int?
  package var maximumFrameByteCount: Int
  /// What may ask the run to stop before its input ends.
  package var stop: StopRequest?
  /// Who is told how the run does.
  package var metrics: StageMetrics?

  package init(
    inputs: [String], threads: Int, format: OutputFormat? = nil, level: Int? = nil, columns: [String]? = nil,
    timestamps: TimestampFormat = .rfc3339, deadLetters: String? = nil, maximumErrors: Int? = nil,
    maximumFrameByteCount: Int = 256 << 20
  ) {
    self.inputs = inputs
    self.threads = threads
    self.format = format
    self.level = level
    self.columns = columns
    self.timestamps = timestamps
    self.deadLetters = deadLetters
    self.maximumErrors = maximumErrors
    self.maximumFrameByteCount = maximumFrameByteCount
  }
}
