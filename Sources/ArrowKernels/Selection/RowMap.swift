import Arrow
import Buffers

/// A row of one of several arrays or batches; a negative row is a null.
public struct RowReference: BitwiseCopyable, Sendable, Hashable {
  public var source: Int32
  public var row: Int32

  @inlinable public init(source: Int32, row: Int32) {
    self.source = source
    self.row = row
  }

  public static let null = RowReference(source: 0, row: -1)
}

/// Which row each row of a gather's output comes from. Conforming types have checked their indices.
protocol RowMap {
  init(checked indices: Buffer, hasNulls: Bool)
  var count: Int { get }
  /// Whether some output row is null.
  var hasNulls: Bool { get }
  func source(_ index: Int) -> Int
  /// Negative for a null.
  func row(_ index: Int) -> Int
  /// Adds one row to a buffer that `init(checked:hasNulls:)` takes.
  static func append(source: Int, row: Int, to indices: inout BufferBuilder)
}

/// Rows of one array: an Int32 each.
struct TakenRows: RowMap {
  private let indices: Buffer
  let count: Int
  let hasNulls: Bool

  init(checked indices: Buffer, hasNulls: Bool) {
    self.indices = indices
    self.count = indices.byteCount / 4
    self.hasNulls = hasNulls
  }

  /// - Precondition: all of `indices`, Int32, are below `rowCount`.
  init(_ indices: Buffer, rowCount: Int) {
    self.init(checked: indices, hasNulls: false)
    var (lowest, highest) = (0, -1)
    for index in 0..<count {
      let row = row(index)
      lowest = min(lowest, row)
      highest = max(highest, row)
    }
    precondition(highest < rowCount, "row \(highest) of \(rowCount)")
    if lowest < 0 { self.init(checked: indices, hasNulls: true) }
  }

  @inline(__always) func source(_ index: Int) -> Int { 0 }

  @inline(__always) func row(_ index: Int) -> Int { Int(unsafe indices.load(unchecked: index, as: Int32.self)) }

  static func append(source: Int, row: Int, to indices: inout BufferBuilder) {
    indices.append(Int32(truncatingIfNeeded: row))
  }
}

/// Rows of several arrays: a `RowReference` each.
struct InterleavedRows: RowMap {
  private let references: Buffer
  let count: Int
  let hasNulls: Bool

  init(checked references: Buffer, hasNulls: Bool) {
    self.references = references
    self.count = references.byteCount / MemoryLayout<RowReference>.stride
    self.hasNulls = hasNulls
  }

  /// - Precondition: every reference names a source and a negative row or one below the source's of `rowCounts`.
  init(_ references: Buffer, rowCounts: [Int]) {
    self.init(checked: references, hasNulls: false)
    let rowCounts = rowCounts.span
    var hasNulls = false
    for index in 0..<count {
      let row = row(index)
      precondition(row < rowCounts[source(index)], "row \(row) of source \(source(index)) is beyond its rows")
      if row < 0 { hasNulls = true }
    }
    if hasNulls { self.init(checked: references, hasNulls: true) }
  }

  @inline(__always) func source(_ index: Int) -> Int {
    Int(unsafe references.load(unchecked: index, as: RowReference.self).source)
  }

  @inline(__always) func row(_ index: Int) -> Int {
    Int(unsafe references.load(unchecked: index, as: RowReference.self).row)
  }

  static func append(source: Int, row: Int, to references: inout BufferBuilder) {
    references.append(RowReference(source: Int32(truncatingIfNeeded: source), row: Int32(truncatingIfNeeded: row)))
  }
}
