import Arrow
import Buffers

extension LeafValues {
  /// Appends the values to `context`'s page.
  /// - Precondition: `encoding` is one for values of `type`, and needs no dictionary.
  func encode(as encoding: Encoding, _ type: PhysicalType, using context: inout ParquetEncoderContext) {
    switch (encoding, type) {
    case (.plain, _) where areLists: lists.write(into: &context.body)
    case (.plain, .boolean): context.body.append(bits: bytes)
    case (.plain, .byteArray): withByteArrays { PlainByteArrayEncoder.encode($0, into: &context.body) }
    case (.plain, _): context.body.append(bytes)
    case (.rle, _): encodeRuns(&context)
    case (.deltaBinaryPacked, .int32):
      withSpan(of: Int32.self) { DeltaBinaryPackedEncoder.encode($0, into: &context.body) }
    case (.deltaBinaryPacked, _):
      withSpan(of: Int64.self) { DeltaBinaryPackedEncoder.encode($0, into: &context.body) }
    case (.deltaLengthByteArray, _):
      withByteArrays { DeltaLengthByteArrayEncoder.encode($0, into: &context.body) }
    case (.deltaByteArray, .byteArray):
      withByteArrays { DeltaByteArrayEncoder.encode($0, into: &context.body) }
    case (.deltaByteArray, _): encodeFixedDeltas(&context)
    case (.byteStreamSplit, _) where areLists:
      ByteStreamSplitEncoder.encode(lists, width: conversion.width, into: &context.body)
    case (.byteStreamSplit, _):
      ByteStreamSplitEncoder.encode(bytes, width: conversion.width, into: &context.body)
    case (.plainDictionary, _), (.bitPacked, _), (.rleDictionary, _):
      preconditionFailure("\(encoding) has no values of its own")
    }
  }

  /// Booleans as runs.
  private func encodeRuns(_ context: inout ParquetEncoderContext) {
    context.runs.reset(width: 1)
    for index in 0..<count {
      context.runs.append(UInt32(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)))
    }
    context.runs.finish(into: &context.body, hasByteCount: true)
  }

  private func encodeFixedDeltas(_ context: inout ParquetEncoderContext) {
    var ends = [Int32](repeating: 0, count: count)
    for index in ends.indices { ends[index] = Int32((index + 1) * conversion.width) }
    DeltaByteArrayEncoder.encode(ByteArrays(ends: ends.span, data: bytes), into: &context.body)
  }

  private func withSpan<Value: BitwiseCopyable>(of type: Value.Type, _ body: (Span<Value>) -> Void) {
    unsafe bytes.withUnsafeBytes { bytes in
      body(unsafe Span<Value>(_unsafeElements: bytes.assumingMemoryBound(to: Value.self)))
    }
  }
}

extension BufferBuilder {
  /// Booleans of a byte each as a bit each, lowest first.
  fileprivate mutating func append(bits: RawSpan) {
    var byte: UInt8 = 0
    for index in 0..<bits.byteCount {
      byte |= (unsafe bits.unsafeLoad(fromByteOffset: index, as: UInt8.self)) &<< UInt8(index & 7)
      if index & 7 == 7 {
        append(byte)
        byte = 0
      }
    }
    if bits.byteCount & 7 != 0 { append(byte) }
  }
}
