import Arrow
import ArrowKernels
import Buffers

/// Rows of one schema that a live log's segment holds for a dataset, in the order of their arrival, findable by user.
///
/// Rows are numbered through; `users` leads from the hash of a user to the latest row, `links` from each row to the one
/// before it of a user of that hash: a row costs eight bytes and one look-up. Batches are merged into large ones, which
/// share their dictionaries: a row is copied twice at most, and an embedding that many rows have is there once.
///
/// Most reads want a user's newest events, which are among the rows that came last, but for those that came late: so links
/// say when events happened, and parts when the newest did of all rows up to their end. Corrections may be of any event, and
/// are found by themselves.
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
  private var links: [Link] = []
  private var corrections = Corrections()

  private struct Part: Sendable {
    var firstRow: Int
    var batch: RecordBatch
    /// No event of its rows, and of those before, is newer; as those of links.
    var newestSeconds: UInt32
  }

  private struct Link: Sendable {
    /// Row number + 1 of the one before it, or 0.
    var previous: UInt32
    /// When its event happened, in seconds since 1970, as far as these can say.
    var seconds: UInt32
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
  mutating func append(_ rows: LiveBatch) {
    let newest = max(rows.newestSeconds, parts.last?.newestSeconds ?? 0)
    parts.append(Part(firstRow: rowCount, batch: rows.batch, newestSeconds: newest))
    batchByteCount += LiveMerge.byteCount([rows.batch])
    if rows.batch.rowCount >= Self.smallRowCount { firstSmallPart = parts.count }
  }

  /// Links the next rows of the newest batch.
  ///
  /// - Parameters:
  ///   - hashes: those of the rows' users, UInt64 each; `users` must have room for them.
  ///   - seconds: when the rows' events happened, UInt32 each.
  ///   - corrections: those of the rows that correct others, counted from the first.
  mutating func link(_ hashes: Buffer, seconds: Buffer, corrections: [Int]) {
    for row in corrections {
      self.corrections.link(hashes.load(row, as: UInt64.self), row: UInt32(rowCount + row))
    }
    for row in 0..<hashes.byteCount / 8 {
      rowCount += 1
      let previous = users.replace(hashes.load(row, as: UInt64.self), by: UInt32(rowCount))
      links.append(Link(previous: previous, seconds: seconds.load(row, as: UInt32.self)))
    }
  }

  /// Gives the index of users more room; they must be those that were there when it was made.
  mutating func replace(users: UserSlots) { self.users = users }

  // MARK: Finding

  /// Adds the user's rows to `choice`, the latest first, until it needs no more.
  func add(rowsOfHash hash: UInt64, to choice: inout NewestRows) {
    choice.beginTable()
    var (number, part) = (users[hash], parts.count)
    while number != 0 {
      let row = Int(number) - 1
      if part == parts.count || row < parts[part].firstRow {
        while part == parts.count || row < parts[part].firstRow { part -= 1 }
        if choice.isEnough(beside: parts[part].newestSeconds) { break }
      }
      choice.add(number - 1, seconds: links[row].seconds)
      number = links[row].previous
    }
  }

  /// Rows of users of this hash, the latest first, and the batches that hold them: those that were chosen, and all corrections.
  ///
  /// - Parameters:
  ///   - rows: those that were added to a choice.
  ///   - seconds: of them those of events from then on are chosen.
  func found(_ rows: ArraySlice<UInt32>, from seconds: UInt32, ofHash hash: UInt64) -> Found {
    var found = Found()
    var corrections = corrections.rows(ofHash: hash)[...]
    for row in rows where links[Int(row)].seconds >= seconds {
      while let correction = corrections.first, correction >= row {
        if correction > row { add(Int(correction), to: &found) }
        corrections.removeFirst()
      }
      add(Int(row), to: &found)
    }
    for row in corrections { add(Int(row), to: &found) }
    return found
  }

  struct Found {
    fileprivate(set) var batches: [RecordBatch] = []
    fileprivate(set) var rows: [RowReference] = []
    fileprivate var part: Int?
  }

  /// Adds a row that came before those that are there.
  private func add(_ row: Int, to found: inout Found) {
    if found.part.map({ row < parts[$0].firstRow }) ?? true {
      let part = self.part(of: row)
      found.part = part
      found.batches.append(parts[part].batch)
    }
    let place = row - parts[found.part!].firstRow
    found.rows.append(RowReference(source: Int32(found.batches.count - 1), row: Int32(place)))
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
      let (first, last) = (parts[merge.parts.lowerBound], parts[merge.parts.upperBound - 1])
      let merged = Part(firstRow: first.firstRow, batch: outcome.merged, newestSeconds: last.newestSeconds)
      parts.replaceSubrange(merge.parts, with: [merged])
      for (index, batch) in outcome.earlier.enumerated() { parts[index].batch = batch }
      batchByteCount += outcome.moreByteCount
    }
    if merge.earlier != nil { largePartCount = parts.count }
    firstSmallPart = parts.count
  }

  /// Of the rows and the way to them.
  var byteCount: Int {
    batchByteCount + links.count * MemoryLayout<Link>.stride + users.byteCount + corrections.byteCount
  }
}

/// Those of a table's rows that correct others or take them back, findable by user: few of most sources, all of some.
private struct Corrections {
  private var users = UserSlots()
  /// Row numbers, with the place + 1 of the one before it of a user of the same hash, or 0.
  private var rows: [(row: UInt32, previous: UInt32)] = []

  mutating func link(_ hash: UInt64, row: UInt32) {
    if let grown = users.grown(for: 1) { users = grown }
    rows.append((row, users.replace(hash, by: UInt32(rows.count + 1))))
  }

  /// The latest first.
  func rows(ofHash hash: UInt64) -> [UInt32] {
    var (place, found) = (users[hash], [UInt32]())
    while place != 0 {
      found.append(rows[Int(place) - 1].row)
      place = rows[Int(place) - 1].previous
    }
    return found
  }

  var byteCount: Int { rows.count * MemoryLayout<(UInt32, UInt32)>.stride + users.byteCount }
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
