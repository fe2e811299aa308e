import Buffers

/// One pass over offsets, written so that it compiles to vector code.
enum OffsetCheck {
  /// Whether Int32 offsets start at 0 or above, never fall, and end at or below `limit`.
  static func areAscending(_ offsets: Buffer, within limit: Int) -> Bool {
    unsafe offsets.withUnsafeBytes { bytes in
      let count = bytes.count / 4
      var previous = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: Int32.self)
      // A negative offset or a fall sets the sign bit: between numbers of 0 or more, no difference overflows.
      var signs = previous
      for index in 1..<max(1, count) {
        let next = unsafe bytes.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)
        signs |= next | (next &- previous)
        previous = next
      }
      return signs >= 0 && Int(previous) <= limit
    }
  }

  /// Int64 offsets as Int32s that begin at 0; nil when one is beyond. Whether they ascend is checked afterwards.
  static func narrowed(_ offsets: Buffer, base: Int64) -> Buffer? {
    var high: Int64 = 0
    var builder = BufferBuilder(capacity: offsets.byteCount / 2)
    unsafe offsets.withUnsafeBytes { bytes in
      for index in 0..<bytes.count / 8 {
        let offset = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self) &- base
        high |= offset
        builder.append(Int32(truncatingIfNeeded: offset))
      }
    }
    return high >= 0 && high <= Int64(Int32.max) ? builder.finish() : nil
  }

  /// Whether the bytes that checked offsets span are UTF-8 and no offset splits a character.
  static func areText(_ data: Buffer, _ offsets: Buffer) -> Bool {
    let count = offsets.byteCount / 4
    let start = Int(offsets.load(0, as: Int32.self))
    let text = data.slice(start..<Int(offsets.load(count - 1, as: Int32.self)))
    guard (try? UTF8Span(validating: text.span(of: UInt8.self))) != nil else { return false }
    for index in 0..<count {
      let offset = Int(offsets.load(index, as: Int32.self)) - start
      if offset < text.byteCount, text.load(offset, as: UInt8.self) & 0xC0 == 0x80 { return false }
    }
    return true
  }
}

/// Checks of dictionary indices.
enum IndexCheck {
  /// Whether all `indices` are within `0..<count`, those of nulls included.
  static func areWithin(_ count: Int, _ indices: Buffer, type: DataType) -> Bool {
    switch type {
    case .int8, .uint8: largest(indices, UInt8.self, isSigned: type == .int8) < count
    case .int16, .uint16: largest(indices, UInt16.self, isSigned: type == .int16) < count
    case .int32, .uint32: largest(indices, UInt32.self, isSigned: type == .int32) < count
    default: largest(indices, UInt64.self, isSigned: type == .int64) < count
    }
  }

  /// The largest index, or `Int.max` when one is negative or does not fit.
  @inline(__always) private static func largest<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ indices: Buffer, _ type: T.Type, isSigned: Bool
  ) -> Int {
    let count = indices.byteCount / MemoryLayout<T>.size
    var largest: T = 0
    unsafe indices.withUnsafeBytes { bytes in
      for index in 0..<count {
        largest = max(largest, unsafe bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self))
      }
    }
    if count == 0 { return -1 }
    return isSigned && largest > T.max >> 1 ? .max : Int(clamping: largest)
  }

  /// `indices` with zero in the place of nulls, which may hold anything; nil when a valid one is not within
  /// `0..<count`.
  static func withoutStrayNulls(_ indices: Buffer, _ validity: Bitmap, _ count: Int, type: DataType) -> Buffer? {
    let width = type.byteWidth!
    var builder = BufferBuilder(capacity: indices.byteCount)
    for index in 0..<validity.count {
      if validity[index] {
        builder.append(indices.bytes.extracting(index * width..<(index + 1) * width))
      } else {
        builder.append(zeroes: width)
      }
    }
    let mended = builder.finish()
    let isEmpty = count == 0 && validity.setBitCount == 0
    return isEmpty || areWithin(count, mended, type: type) ? mended : nil
  }
}

extension Buffer {
  /// The bytes of every value of `width` bytes in reverse.
  func swapped(width: Int) -> Buffer {
    var builder = BufferBuilder(capacity: byteCount)
    unsafe withUnsafeBytes { bytes in
      for start in stride(from: 0, to: byteCount - width + 1, by: width) {
        for index in (0..<width).reversed() { builder.append(unsafe bytes[start + index]) }
      }
    }
    return builder.finish()
  }
}
