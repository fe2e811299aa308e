import CLZ4

//     lz4      ::= hadoop | LZ4 frame | LZ4 block
//     hadoop   ::= (decompressed size: u32be, compressed size: u32be, LZ4 block)+
//     LZ4_RAW  ::= LZ4 block
//
// The codec LZ4 was never specified; what its writers took for it is told apart by trying.
// - Source: `Compression.md`, "LZ4" and "LZ4_RAW".

extension Decompressor {
  func expandLZ4Block(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
    guard source.count <= Int(Int32.max), room.count <= Int(LZ4_MAX_INPUT_SIZE) else { return false }
    let input = unsafe source.assumingMemoryBound(to: CChar.self).baseAddress
    let output = unsafe room.assumingMemoryBound(to: CChar.self).baseAddress
    return unsafe LZ4_decompress_safe(input, output, Int32(source.count), Int32(room.count)) == Int32(room.count)
  }

  func expandLZ4(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
    unsafe expandHadoop(source, into: room) || expandLZ4Frame(source, into: room) || expandLZ4Block(source, into: room)
  }

  private func expandHadoop(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
    var (position, written) = (0, 0)
    while source.count - position >= 8 {
      let size = Int(unsafe source.loadUnaligned(fromByteOffset: position, as: UInt32.self).byteSwapped)
      let packed = Int(unsafe source.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self).byteSwapped)
      position += 8
      guard size <= room.count - written, packed <= source.count - position else { return false }
      let block = unsafe UnsafeRawBufferPointer(rebasing: source[position..<position + packed])
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: room[written..<written + size])
      guard unsafe expandLZ4Block(block, into: part) else { return false }
      position += packed
      written += size
    }
    return position == source.count && written == room.count
  }

  private func expandLZ4Frame(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
    let magic: UInt32 = 0x184D_2204
    guard source.count >= 4, (unsafe source.loadUnaligned(as: UInt32.self)) == magic else { return false }
    var context: OpaquePointer?
    guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
      return false
    }
    defer { unsafe LZ4F_freeDecompressionContext(context) }
    var (written, read) = (room.count, source.count)
    let status = unsafe LZ4F_decompress(context, room.baseAddress, &written, source.baseAddress, &read, nil)
    return status == 0 && written == room.count && read == source.count
  }
}
