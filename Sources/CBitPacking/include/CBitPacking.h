#pragma once
#include <stddef.h>
#include <stdint.h>

// Unpack `blocks` blocks of 32 values that lie `width` bits apart, least significant bit first, into `out`.
//
// `in` must be readable for `blocks` * 4 * `width` bytes and 16 more; widths beyond the element's own are undefined.
// Source: Parquet Encodings.md, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".

void bits_unpack_u8(const uint8_t *in, uint8_t *out, size_t blocks, unsigned width);    // width 0...8
void bits_unpack_u32(const uint8_t *in, uint32_t *out, size_t blocks, unsigned width);  // width 0...32
void bits_unpack_u64(const uint8_t *in, uint64_t *out, size_t blocks, unsigned width);  // width 0...64

// Joins `width` streams of `count` bytes, one after the other in `in`, into `count` values of `width` bytes.
// Source: Parquet Encodings.md, "Byte Stream Split (BYTE_STREAM_SPLIT = 9)".
void bytes_join_streams(const uint8_t *in, uint8_t *out, size_t count, size_t width);
