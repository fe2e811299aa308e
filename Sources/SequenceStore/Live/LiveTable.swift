import Arrow
import ArrowKernels
import Buffers

/// Rows of one schema that a live log's segment holds for a dataset, in the order of their arrival, findable by user.
///
/// Rows are numbered through; `users` leads from the hash of a user to the newest row, `previous` from each row to the one
/// before it of a user of that hash: a row costs four bytes and one look-up. Batches are merged into large ones, which
/// share their dictionaries: a row is copied twice at most, and an embedding that many rows have is there once.
struct LiveTable: Sendable {
  let schema: Schema
  private(set) var rowCount = 0
  private var batchByteCount = 0
  private var parts: [Part] = []
  /// Parts before this one are large, and stay as they are.
  private var largePartCount = 0
  /// Parts from this one on are small.
  private var firstSmallPart = 0

  private(set) var users = UserSlots()
  /// Per row: row number + 1 of the one before it, or 0.
  private var previous: [UInt32] = []

  private struct Part: Sendable {
    var firstRow: Int
    var batch: RecordBatch
  }

  /// So many small batches are made one: at a low rate every event comes in a frame of its own.
  private static let smallPartCount = 64
  /// A batch of fewer rows is small: what a batch costs beside its rows counts.
  private static let smallRowCount = 256
  /// So many rows are made one batch, which stays: their text and embeddings lie in memory that is theirs alone.
  private static let largeRowCount = 1 << 16

  init(schema: Schema) { self.schema = schema }

  // MARK: Adding

  /// Takes a batch in; its rows are found once they are linked.
  mutating func append(_ batch: RecordBatch) {
    parts.append(Part(firstRow: rowCount, batch: batch))
    batchByteCount += LiveMerge.byteCount([batch])
    if batch.rowCount >= Self.smallRowCount { firstSmallPart = parts.count }
  }

  /// Links the next rows of the newest batch.
  /// - Parameter hashes: those of the rows' users, UInt64 each; `users` must have room for them.
  mutating func link(_ hashes: Buffer) {
    for row in 0..<hashes.byteCount / 8 {
      rowCount += 1
      previous.append(users.replace(hashes.load(row, as: UInt64.self), by: UInt32(rowCount)))
    }
  }

  /// Gives the index of users more room; they must be those that were there when it was made.
  mutating func replace(users: UserSlots) { self.users = users }

  // MARK: Finding

  /// The rows of users of this hash, and the batches that hold them.
  func rows(ofHash hash: UInt64) -> (batches: [RecordBatch], rows: [RowReference])? {
    var number = users[hash]
    guard number != 0 else { return nil }
    var (batches, rows): ([RecordBatch], [RowReference]) = ([], [])
    var part = parts.count
    while number != 0 {
      let row = Int(number) - 1
      if part == parts.count || row < parts[part].firstRow {
        part = self.part(of: row)
        batches.append(parts[part].batch)
      }
      rows.append(RowReference(source: Int32(batches.count - 1), row: Int32(row - parts[part].firstRow)))
      number = previous[row]
    }
    return (batches, rows)
  }

  private func part(of row: Int) -> Int {
    var (low, high) = (0, parts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if parts[middle].firstRow <= row { low = middle } else { high = middle }
    }
    return low
  }

  // MARK: Merging

  /// What is due to be merged, once all rows are linked.
  var dueMerge: LiveMerge? {
    let large = parts[..<largePartCount]
    let rest = parts[largePartCount...]
    if let first = rest.first, rowCount - first.firstRow >= Self.largeRowCount {
      return LiveMerge(parts: rest.indices, batches: rest.map(\.batch), earlier: large.map(\.batch))
    }
    let small = parts[firstSmallPart...]
    guard small.count >= Self.smallPartCount else { return nil }
    return LiveMerge(parts: small.indices, batches: small.map(\.batch), earlier: nil)
  }

  /// Puts what came of a merge into its place; nil leaves its parts as they are for good.
  mutating func finish(_ merge: LiveMerge, _ outcome: LiveMerge.Outcome?) {
    if let outcome {
      let merged = Part(firstRow: parts[merge.parts.lowerBound].firstRow, batch: outcome.merged)
      parts.replaceSubrange(merge.parts, with: [merged])
      for (index, batch) in outcome.earlier.enumerated() { parts[index].batch = batch }
      batchByteCount += outcome.moreByteCount
    }
    if merge.earlier != nil { largePartCount = parts.count }
    firstSmallPart = parts.count
  }

  /// Of the rows and the way to them.
  var byteCount: Int { batchByteCount + previous.count * MemoryLayout<UInt32>.stride + users.byteCount }
}

/// The number of a row for each hash of a user: open addressing, at most half full.
struct UserSlots: Sendable {
  /// Row number + 1, or 0.
  private var slots: [UInt32]
  private var hashes: [UInt64]
  private(set) var count = 0

  var byteCount: Int { slots.count * (MemoryLayout<UInt32>.stride + MemoryLayout<UInt64>.stride) }

  init(slotCount: Int = 64) {
    slots = [UInt32](repeating: 0, count: slotCount)
    hashes = [UInt64](repeating: 0, count: slotCount)
  }

  /// 0 for a hash that is not there.
  subscript(hash: UInt64) -> UInt32 { slots[slot(of: hash)] }

  /// - Returns: what was there before, or 0.
  mutating func replace(_ hash: UInt64, by number: UInt32) -> UInt32 {
    let slot = slot(of: hash)
    let earlier = slots[slot]
    slots[slot] = number
    if earlier == 0 {
      hashes[slot] = hash
      count += 1
    }
    return earlier
  }

  private func slot(of hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0, hashes[slot] != hash { slot = (slot + 1) & mask }
    return slot
  }

  /// The same with room for `more` hashes; nil when that is there.
  func grown(for more: Int) -> UserSlots? {
    let needed = (count + more) * 2
    guard needed > slots.count else { return nil }
    var slotCount = slots.count * 2
    while slotCount < needed { slotCount *= 2 }
    var grown = UserSlots(slotCount: slotCount)
    for slot in slots.indices where slots[slot] != 0 { _ = grown.replace(hashes[slot], by: slots[slot]) }
    return grown
  }
}
