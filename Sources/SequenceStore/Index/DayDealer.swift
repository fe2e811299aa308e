import Arrow
import ArrowKernels
import Buffers
import Definitions

/// The rows of some batches that belong to one day, in their order.
struct DealtRows {
  var day: Day
  var isRetracted: Bool
  /// `RowReference` each.
  var rows: Buffer

  var rowCount: Int { rows.byteCount / MemoryLayout<RowReference>.stride }
}

/// Deals the rows of batches to the days in which they happened.
enum DayDealer {
  /// Groups rows by day and by whether they are retracted; days ascend.
  ///
  /// - Parameter batches: events, whose system columns have been checked.
  static func deal(_ batches: [RecordBatch]) -> [DealtRows] {
    var slots = BufferBuilder(capacity: batches.reduce(0) { $0 + $1.rowCount } * 8)
    var (least, most) = (Int64.max, Int64.min)
    for batch in batches { appendSlots(of: batch, to: &slots, &least, &most) }
    guard least <= most else { return [] }
    let numbers = slots.finish()
    return most - least < maximumDenseSpan
      ? dealDense(numbers, least, span: Int(most - least) + 1, batches) : dealSparse(numbers, batches)
  }

  /// Up to here a table by slot is smaller than a dictionary is slow.
  private static let maximumDenseSpan: Int64 = 1 << 15

  /// A row's slot: twice its day, and one more if it is retracted.
  private static func appendSlots(
    of batch: RecordBatch, to slots: inout BufferBuilder, _ least: inout Int64, _ most: inout Int64
  ) {
    guard let times = batch[SystemColumns.ts]?.values, let retracted = batch[SystemColumns.retracted]?.bits else {
      return
    }
    for row in 0..<batch.rowCount {
      let slot = Day.number(micros: times.load(row, as: Int64.self)) * 2 + (retracted[row] ? 1 : 0)
      least = min(least, slot)
      most = max(most, slot)
      slots.append(slot)
    }
  }

  /// A counting sort.
  private static func dealDense(_ slots: Buffer, _ least: Int64, span: Int, _ batches: [RecordBatch]) -> [DealtRows] {
    let count = slots.byteCount / 8
    var ends = [Int](repeating: 0, count: span)
    for row in 0..<count { ends[Int(slots.load(row, as: Int64.self) - least)] += 1 }
    let counts = ends
    var total = 0
    for slot in ends.indices {
      (ends[slot], total) = (total, total + ends[slot])
    }
    let stride = MemoryLayout<RowReference>.stride
    var rows = BufferBuilder(capacity: count * stride)
    rows.append(zeroes: count * stride)
    rows.withMutableSpan(of: RowReference.self) { rows in
      var index = 0
      for (source, batch) in batches.enumerated() {
        for row in 0..<batch.rowCount {
          let slot = Int(slots.load(index, as: Int64.self) - least)
          rows[ends[slot]] = RowReference(source: Int32(source), row: Int32(truncatingIfNeeded: row))
          ends[slot] += 1
          index += 1
        }
      }
    }
    let all = rows.finish()
    return counts.indices.filter { counts[$0] > 0 }.map { slot in
      let range = (ends[slot] - counts[slot]) * stride..<ends[slot] * stride
      return dealt(least + Int64(slot), all.slice(range))
    }
  }

  private static func dealSparse(_ slots: Buffer, _ batches: [RecordBatch]) -> [DealtRows] {
    var rows: [Int64: [RowReference]] = [:]
    var index = 0
    for (source, batch) in batches.enumerated() {
      for row in 0..<batch.rowCount {
        let reference = RowReference(source: Int32(source), row: Int32(truncatingIfNeeded: row))
        rows[slots.load(index, as: Int64.self), default: []].append(reference)
        index += 1
      }
    }
    return rows.sorted { $0.key < $1.key }.map { dealt($0.key, Buffer($0.value)) }
  }

  private static func dealt(_ slot: Int64, _ rows: Buffer) -> DealtRows {
    DealtRows(day: Day(Int32(truncatingIfNeeded: slot >> 1)), isRetracted: slot & 1 == 1, rows: rows)
  }
}
