import Buffers
import CBitPacking

/// Work on definition and repetition levels, a byte each, 64 at a time.
///
/// Levels lie in memory of a `BufferBuilder`, which is readable for 64 bytes past its end.
enum LevelKernels {
  /// One bit per level of up to 64: whether it is `threshold` or more.
  @inline(__always)
  static func mask(_ levels: UnsafePointer<UInt8>, count: Int, atLeast threshold: UInt8) -> UInt64 {
    let mask = unsafe bytes_at_least(levels, threshold)
    return count >= 64 ? mask : mask & ((1 &<< UInt64(count)) &- 1)
  }

  static func count(_ levels: RawSpan, atLeast threshold: Int) -> Int {
    if threshold == 0 { return levels.byteCount }
    return unsafe levels.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return 0 }
      var (total, index) = (0, 0)
      while index < bytes.count {
        let size = min(64, bytes.count - index)
        total += (unsafe mask(start + index, count: size, atLeast: UInt8(threshold))).nonzeroBitCount
        index += 64
      }
      return total
    }
  }

  static func largest(_ levels: RawSpan) -> UInt8 {
    unsafe levels.withUnsafeBytes { bytes in
      var largest: UInt8 = 0
      for index in 0..<bytes.count { largest = max(largest, unsafe bytes[index]) }
      return largest
    }
  }

  /// Appends a bit per slot: whether its level is `present`. A slot is a level of `slot` or more.
  static func appendValidity(_ levels: RawSpan, present: Int, slot: Int, to bits: inout BitmapBuilder) {
    unsafe levels.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
      var index = 0
      while index < bytes.count {
        let size = min(64, bytes.count - index)
        let valid = unsafe mask(start + index, count: size, atLeast: UInt8(present))
        var slots = unsafe mask(start + index, count: size, atLeast: UInt8(slot))
        if slots.nonzeroBitCount == size {
          bits.append(word: valid, bits: size)
        } else {
          while slots != 0 {
            bits.append(valid &>> UInt64(slots.trailingZeroBitCount) & 1 == 1)
            slots &= slots &- 1
          }
        }
        index += 64
      }
    }
  }

  /// Where the row after the first `rows` ones begins: the index of the zero that follows as many zeroes, or the end.
  static func index(ofRow rows: Int, in repetitionLevels: RawSpan) -> Int {
    unsafe repetitionLevels.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return 0 }
      var (seen, index) = (0, 0)
      while index < bytes.count {
        let size = min(64, bytes.count - index)
        var starts = ~(unsafe mask(start + index, count: size, atLeast: 1))
        if size < 64 { starts &= (1 &<< UInt64(size)) &- 1 }
        let found = starts.nonzeroBitCount
        if seen + found > rows {
          for _ in seen..<rows { starts &= starts &- 1 }
          return index + starts.trailingZeroBitCount
        }
        seen += found
        index += 64
      }
      return bytes.count
    }
  }

  /// Which definition levels are values and which are slots, and how many of the levels at hand are slots.
  struct Places {
    var present: Int
    var slot: Int
    var slotCount: Int
  }

  /// Appends a value of type `Value` per slot: the next of `dense` where the level is `present`, else zero.
  /// - Parameter dense: readable for one value past its end.
  static func spread<Value: FixedWidthInteger & BitwiseCopyable>(
    _ dense: RawSpan, levels: RawSpan, _ places: Places, as type: Value.Type, to output: inout BufferBuilder
  ) {
    let slotCount = places.slotCount
    // One slot of room more: the loop writes before it knows whether the level has a slot.
    unsafe output.appendUnsafely(capacity: (slotCount + 1) * MemoryLayout<Value>.stride) { room in
      unsafe dense.withUnsafeBytes { dense in
        unsafe levels.withUnsafeBytes { levels in
          let values = unsafe dense.baseAddress!.assumingMemoryBound(to: Value.self)
          let output = unsafe room.baseAddress!.assumingMemoryBound(to: Value.self)
          let (present, slot) = (UInt8(places.present), UInt8(places.slot))
          var (from, to) = (0, 0)
          for index in 0..<levels.count {
            let level = unsafe levels[index]
            let isPresent = bit(level >= present)
            unsafe output[to] = values[from] & (0 &- Value(truncatingIfNeeded: isPresent))
            from &+= isPresent
            to &+= bit(level >= slot)
          }
        }
      }
      return slotCount * MemoryLayout<Value>.stride
    }
  }

  /// Appends the Int32 end of each slot: that of the last of `ends` whose level was `present` so far.
  /// - Parameter ends: the end of what precedes the first slot, then one end per value.
  static func spreadEnds(
    _ ends: RawSpan, levels: RawSpan, present: Int, slot: Int, slotCount: Int, to output: inout BufferBuilder
  ) {
    unsafe output.appendUnsafely(capacity: (slotCount + 1) * 4) { room in
      unsafe ends.withUnsafeBytes { ends in
        unsafe levels.withUnsafeBytes { levels in
          let ends = unsafe ends.baseAddress!.assumingMemoryBound(to: Int32.self)
          let output = unsafe room.baseAddress!.assumingMemoryBound(to: Int32.self)
          let (present, slot) = (UInt8(present), UInt8(slot))
          var (from, to) = (0, 0)
          for index in 0..<levels.count {
            let level = unsafe levels[index]
            from &+= bit(level >= present)
            unsafe output[to] = ends[from]
            to &+= bit(level >= slot)
          }
        }
      }
      return slotCount * 4
    }
  }

  @inline(__always)
  static func bit(_ condition: Bool) -> Int { Int(unsafe unsafeBitCast(condition, to: UInt8.self)) }
}
