import Arrow
import ArrowKernels
import Buffers

/// Rows of one schema that a live log's segment holds for a dataset, in the order of their arrival, findable by user.
///
/// Batches stay whole. Rows are numbered through; `users` leads from the hash of a user to the newest row, `previous` from
/// each row to the one before it of a user of that hash: a row costs four bytes and one look-up.
struct LiveTable: Sendable {
  let schema: Schema
  private(set) var rowCount = 0
  private(set) var byteCount = 0
  private var parts: [Part] = []
  /// Before this part, parts stay as they are.
  private var firstSmallPart = 0

  private(set) var users = UserSlots()
  /// Per row: row number + 1 of the one before it, or 0.
  private var previous: [UInt32] = []

  private struct Part: Sendable {
    var firstRow: Int
    var batch: RecordBatch
  }

  /// So many small batches are made one, which stays: each row is copied once.
  private static let mergedPartCount = 64
  /// A batch of so many rows is large: what a batch costs beside its rows does not count.
  private static let largeRowCount = 256

  init(schema: Schema) { self.schema = schema }

  // MARK: Adding

  /// Takes a batch in; its rows are found once they are linked.
  mutating func append(_ batch: RecordBatch) {
    parts.append(Part(firstRow: rowCount, batch: batch))
    byteCount += batch.byteCount
    if batch.rowCount >= Self.largeRowCount { firstSmallPart = parts.count }
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

  /// The newest batches, when they are many and small.
  var smallBatches: [RecordBatch]? {
    parts.count - firstSmallPart >= Self.mergedPartCount ? parts[firstSmallPart...].map(\.batch) : nil
  }

  /// The batches as one; nil when their types would not be those of the schema.
  static func merge(_ batches: [RecordBatch]) -> RecordBatch? {
    guard batches.allSatisfy({ $0.schema == batches[0].schema }) else { return nil }
    let merged = RecordBatch.concatenate(batches)
    let isSame = zip(merged.schema.fields, batches[0].schema.fields).allSatisfy {
      $0.type.valueType == $1.type.valueType
    }
    return isSame ? merged : nil
  }

  /// Puts `merged`, or what it was made of where that was not possible, in the place of `smallBatches`.
  mutating func replaceSmallBatches(by merged: RecordBatch?) {
    defer { firstSmallPart = parts.count }
    guard let merged, firstSmallPart < parts.count else { return }
    byteCount += merged.byteCount - parts[firstSmallPart...].reduce(0) { $0 + $1.batch.byteCount }
    parts.replaceSubrange(firstSmallPart..., with: [Part(firstRow: parts[firstSmallPart].firstRow, batch: merged)])
  }
}

/// The number of a row for each hash of a user: open addressing, at most half full.
struct UserSlots: Sendable {
  /// Row number + 1, or 0.
  private var slots: [UInt32]
  private var hashes: [UInt64]
  private(set) var count = 0

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
