import Arrow
import Buffers

extension ArrowArray {
  /// A 64-bit hash per value, UInt64 each.
  ///
  /// Values that are equal (see `isEqual`) hash alike, whatever slice, dictionary or integer width holds them.
  public func hashes() -> Buffer {
    let values = hashesIgnoringNulls()
    guard nullCount > 0, let validity else { return values }
    var output = BufferBuilder(capacity: values.byteCount)
    output.append(values)
    output.withMutableSpan(of: UInt64.self) { output in
      var start = 0
      while start < count {
        var nulls = ~validity.word(at: start)
        while nulls != 0, start &+ nulls.trailingZeroBitCount < count {
          output[start &+ nulls.trailingZeroBitCount] = Hash64.null
          nulls &= nulls &- 1
        }
        start &+= 64
      }
    }
    return output.finish()
  }

  private func hashesIgnoringNulls() -> Buffer {
    switch storage {
    case .null: return mapRows { _ in Hash64.null }
    case .boolean(let bits): return mapRows { Hash64.of(bits[$0] ? 1 : 0) }
    case .fixed(let values): return hashFixed(values)
    case .variable(let offsets, let data): return hashRanges(offsets, data)
    case .list(let offsets, let child): return hashLists(offsets, child)
    case .fixedSizeList(let child): return hashFixedSizeLists(child)
    case .structure(let children): return RecordBatch.rowHashes(children, rowCount: count)
    case .dictionary(_, let values): return hashDictionary(values)
    }
  }

  /// Applies `body` to every row; always inlined, so that loops stay concrete.
  @inline(__always) private func mapRows(_ body: (Int) -> UInt64) -> Buffer {
    var output = BufferBuilder(capacity: count * 8)
    unsafe output.appendUnsafely(capacity: count * 8) { memory in
      let hashes = unsafe memory.assumingMemoryBound(to: UInt64.self)
      for index in 0..<count { unsafe hashes[index] = body(index) }
      return memory.count
    }
    return output.finish()
  }

  private func hashFixed(_ values: Buffer) -> Buffer {
    precondition(values.byteCount >= count * type.byteWidth!, "\(values.byteCount) bytes for \(count) values")
    switch type {
    case .int8: return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: Int8.self))) }
    case .uint8: return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: UInt8.self))) }
    case .int16: return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: Int16.self))) }
    case .uint16, .float16: return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: UInt16.self))) }
    case .uint32, .float32: return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: UInt32.self))) }
    case .int32, .date32, .time32:
      return mapRows { unsafe Hash64.of(Int64(values.load(unchecked: $0, as: Int32.self))) }
    case .decimal128, .fixedSizeBinary: return hashBytes(values, width: type.byteWidth!)
    default: return mapRows { unsafe Hash64.of(values.load(unchecked: $0, as: Int64.self)) }
    }
  }

  private func hashBytes(_ values: Buffer, width: Int) -> Buffer {
    precondition(values.byteCount >= count * width, "\(values.byteCount) bytes for \(count) values")
    return unsafe values.withUnsafeBytes { bytes in
      let base = bytes.baseAddress!
      return mapRows { unsafe Hash64.of(base + $0 &* width, count: width) }
    }
  }

  private func hashRanges(_ offsets: Buffer, _ data: Buffer) -> Buffer {
    precondition(offsets.byteCount >= (count + 1) * 4, "\(offsets.byteCount) bytes for \(count + 1) offsets")
    return unsafe data.withUnsafeBytes { bytes in
      let base = bytes.baseAddress!
      return mapRows { index in
        let start = Int(unsafe offsets.load(unchecked: index, as: Int32.self))
        let end = Int(unsafe offsets.load(unchecked: index &+ 1, as: Int32.self))
        precondition(start >= 0 && start <= end && end <= data.byteCount, "offsets beyond their data")
        return unsafe Hash64.of(base + start, count: end &- start)
      }
    }
  }

  /// The hash of a list of which the elements hash to `hashes`.
  private static func combine(_ hashes: Buffer, _ range: Range<Int>) -> UInt64 {
    var hash = UInt64(range.count)
    for element in range { hash = Hash64.combine(hash, hashes.load(element, as: UInt64.self)) }
    return hash
  }

  private func hashLists(_ offsets: Buffer, _ child: ArrowArray) -> Buffer {
    let first = Int(offsets.load(0, as: Int32.self))
    let elements = child.slice(first..<Int(offsets.load(count, as: Int32.self))).hashes()
    return mapRows { index in
      let range = range(index)
      return Self.combine(elements, range.lowerBound - first..<range.upperBound - first)
    }
  }

  private func hashFixedSizeLists(_ child: ArrowArray) -> Buffer {
    guard case .fixedSizeList(_, let length) = type else { preconditionFailure("\(type) is no fixed-size list") }
    guard case .fixed(let values) = child.storage else {
      let elements = child.hashes()
      return mapRows { Self.combine(elements, $0 * length..<($0 + 1) * length) }
    }
    let blocks = hashBytes(values, width: child.type.byteWidth! * length)
    if child.nullCount == 0 { return blocks }
    let elements = child.hashes()
    return mapRows { index in
      let range = index * length..<(index + 1) * length
      if range.allSatisfy(child.isValid) { return blocks.load(index, as: UInt64.self) }
      return Self.combine(elements, range)
    }
  }

  private func hashDictionary(_ values: ArrowArray) -> Buffer {
    let hashes = values.hashes()
    return mapRows { index in
      if isNull(index) { return Hash64.null }
      return hashes.load(dictionaryIndex(index), as: UInt64.self)
    }
  }
}

extension RecordBatch {
  /// A 64-bit hash per row over the columns at `indices`, in that order, UInt64 each.
  public func rowHashes(_ indices: [Int]) -> Buffer {
    Self.rowHashes(indices.map { columns[$0] }, rowCount: rowCount)
  }

  /// A 64-bit hash per row over `columns`, all of `rowCount` values.
  public static func rowHashes(_ columns: [ArrowArray], rowCount: Int) -> Buffer {
    var output = BufferBuilder(capacity: rowCount * 8)
    output.append(repeating: UInt64(columns.count), count: rowCount)
    for column in columns {
      let hashes = column.hashes()
      output.withMutableSpan(of: UInt64.self) { output in
        for row in 0..<rowCount {
          unsafe output[unchecked: row] = Hash64.combine(
            output[unchecked: row], hashes.load(unchecked: row, as: UInt64.self))
        }
      }
    }
    return output.finish()
  }
}
