import Arrow
import ArrowKernels
import Buffers
import Definitions

/// Picks of each user's events those that are in the sequence: within the window, at most so many of a type and at most
/// so many in all, the newest first to be kept.
struct SequenceTrimmer {
  private let maximumLength: Int
  private let caps: [String: Int]
  private let windowMicros: Int64?
  /// The sequence's end, exclusive; nil for the time just after each user's last event in it.
  private let untilMicros: Int64?

  init(_ definition: SequenceDefinition, untilMicros: Int64?) {
    maximumLength = definition.maximumLength
    caps = Dictionary(definition.caps.map { ($0.eventType, $0.count) }, uniquingKeysWith: min)
    windowMicros = definition.windowMicros
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
  }

  /// - Parameters:
  ///   - users: the rows of each user, in the order of time.
  func select(_ users: [Range<Int>], times: Buffer, types: ArrowArray) -> Selection {
    let limits = caps.isEmpty ? nil : typeLimits(types)
    var selection = Selection(rows: .empty, users: [], offsets: [0])
    var rows = BufferBuilder()
    var picked: [Int32] = []
    for user in users {
      picked.removeAll(keepingCapacity: true)
      pick(user, times: times, limits: limits, into: &picked)
      if picked.isEmpty { continue }
      for row in picked.reversed() { rows.append(row) }
      selection.users.append(Int32(user.lowerBound))
      selection.offsets.append(Int32(rows.byteCount / 4))
    }
    selection.rows = rows.finish()
    return selection
  }

  /// The code of each row's type, and how many of each code are allowed.
  private func typeLimits(_ types: ArrowArray) -> (codes: Buffer, limits: [Int])? {
    guard let encoded = types.dictionaryEncoded() else { return nil }
    let names = encoded.children[0]
    return (encoded.dictionaryIndices(), (0..<names.count).map { caps[names.string($0)] ?? .max })
  }

  /// Newest first.
  private func pick(
    _ user: Range<Int>, times: Buffer, limits: (codes: Buffer, limits: [Int])?, into rows: inout [Int32]
  ) {
    let times = times.span(of: Int64.self)
    let end = untilMicros ?? times[user.upperBound - 1].addingSaturated(1)
    let begin = windowMicros.map { end.addingSaturated(-$0) } ?? .min
    var left = limits?.limits ?? []
    for row in user.reversed() {
      if rows.count == maximumLength || times[row] < begin { return }
      if untilMicros != nil && times[row] >= end { continue }
      if let limits {
        let code = Int(limits.codes.load(row, as: Int32.self))
        if left[code] == 0 { continue }
        left[code] -= 1
      }
      rows.append(Int32(row))
    }
  }
}
