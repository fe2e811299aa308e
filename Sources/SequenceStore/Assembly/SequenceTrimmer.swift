import Arrow
import ArrowKernels
import Buffers
import Definitions

/// Picks of each user's events those that are in the sequence: the newest of each group that is merged, within the
/// window, at most so many of a type and at most so many in all, the newest first to be kept.
struct SequenceTrimmer {
  private let maximumLength: Int
  private let caps: [String: Int]
  private let windowMicros: Int64?
  private let merge: MergeDefinition?
  /// The sequence's end, exclusive; nil for the time just after each user's last event in it.
  private let untilMicros: Int64?

  init(_ definition: SequenceDefinition, untilMicros: Int64?) {
    maximumLength = definition.maximumLength
    caps = Dictionary(definition.caps.map { ($0.eventType, $0.count) }, uniquingKeysWith: min)
    windowMicros = definition.windowMicros
    merge = definition.merge
    self.untilMicros = untilMicros
  }

  /// Rows of a batch, and how many of them each user has.
  struct Selection {
    /// Int32 each, ascending.
    var rows: Buffer
    /// The first row of each user in the batch that was trimmed; users without any row are left out.
    var users: [Int32]
    /// Where each user's rows begin in `rows`, and at last where all end.
    var offsets: [Int32]
    /// What the events merged into each row have; nil where that is not asked for.
    var actions: ArrowArray?
  }

  /// - Parameters:
  ///   - users: the rows of each user, in the order of time.
  ///   - events: with the columns `ts` and `event_type`, and those that merging reads.
  func select(_ users: [Range<Int>], of events: RecordBatch) -> Selection {
    let input = input(events)
    var (picked, bits): ([Pick], [UInt64]) = ([], [])
    var selection = Selection(rows: .empty, users: [], offsets: [0])
    var rows = BufferBuilder()
    for user in users {
      picked.removeAll(keepingCapacity: true)
      pick(user, of: input, into: &picked)
      if picked.isEmpty { continue }
      for pick in picked.reversed() {
        rows.append(pick.row)
        if merge?.actions != nil { bits.append(pick.actions) }
      }
      selection.users.append(Int32(user.lowerBound))
      selection.offsets.append(Int32(rows.byteCount / 4))
    }
    selection.rows = rows.finish()
    selection.actions = merge?.actions?.array(bits)
    return selection
  }

  /// What is looked at of the events.
  private struct Input {
    var times: Buffer
    var limits: (codes: Buffer, limits: [Int])?
    var merging: MergeInputs?
  }

  private struct Pick {
    var row: Int32
    var actions: UInt64 = 0
  }

  private func input(_ events: RecordBatch) -> Input {
    var texts = TextNumbers()
    return Input(
      times: events[SystemColumns.ts]!.values,
      limits: caps.isEmpty ? nil : typeLimits(events[SystemColumns.eventType]!),
      merging: merge.map { MergeInputs($0, events, withActions: true, &texts) })
  }

  /// The code of each row's type, and how many of each code are allowed.
  private func typeLimits(_ types: ArrowArray) -> (codes: Buffer, limits: [Int])? {
    guard let encoded = types.dictionaryEncoded() else { return nil }
    let names = encoded.children[0]
    return (encoded.dictionaryIndices(), (0..<names.count).map { caps[names.string($0)] ?? .max })
  }

  /// Newest first.
  private func pick(_ user: Range<Int>, of input: Input, into picked: inout [Pick]) {
    let times = input.times.span(of: Int64.self)
    let end = untilMicros ?? times[user.upperBound - 1].addingSaturated(1)
    let begin = windowMicros.map { end.addingSaturated(-$0) } ?? .min
    var left = input.limits?.limits ?? []
    var groups = MergeGroups(withinMicros: merge?.withinMicros ?? 0)
    var groupOfPick: [Int] = []
    // Events older than all that are picked may still belong to their groups.
    var mergeEnd: Int64?
    for row in user.reversed() {
      if untilMicros != nil && times[row] >= end { continue }
      if mergeEnd == nil, picked.count == maximumLength || times[row] < begin {
        guard merge?.actions != nil, let oldest = picked.last else { break }
        mergeEnd = times[Int(oldest.row)].addingSaturated(-merge!.withinMicros)
      }
      if let mergeEnd, times[row] < mergeEnd { break }
      if let merging = input.merging {
        let place = groups.add(key: merging.key(row), micros: times[row], actions: merging.actions(row))
        if !place.isNewest || mergeEnd != nil { continue }
        if !takeOfType(row, input.limits?.codes, &left) { continue }
        groupOfPick.append(place.group)
      } else if !takeOfType(row, input.limits?.codes, &left) {
        continue
      }
      picked.append(Pick(row: Int32(row)))
    }
    for (pick, group) in groupOfPick.enumerated() { picked[pick].actions = groups.actions[group] }
  }

  /// Whether the row's type has not reached its cap.
  private func takeOfType(_ row: Int, _ codes: Buffer?, _ left: inout [Int]) -> Bool {
    guard let codes else { return true }
    let code = Int(codes.load(row, as: Int32.self))
    if left[code] == 0 { return false }
    left[code] -= 1
    return true
  }
}
