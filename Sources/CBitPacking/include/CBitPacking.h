#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Unpack `blocks` blocks of 32 values that lie `width` bits apart, least significant bit first, into `out`.
//
// `in` must be readable for `blocks` * 4 * `width` bytes and 16 more; widths beyond the element's own are undefined.
// Source: Parquet Encodings.md, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".

void bits_unpack_u8(const uint8_t *in, uint8_t *out, size_t blocks, unsigned width);    // width 0...8
void bits_unpack_u32(const uint8_t *in, uint32_t *out, size_t blocks, unsigned width);  // width 0...32
void bits_unpack_u64(const uint8_t *in, uint64_t *out, size_t blocks, unsigned width);  // width 0...64

// Joins the first `count` bytes of each of `width` streams of `length` bytes, one after the other, into values of `width` bytes.
// Source: Parquet Encodings.md, "Byte Stream Split (BYTE_STREAM_SPLIT = 9)".
void bytes_join_streams(const uint8_t *in, uint8_t *out, size_t count, size_t width, size_t length);

// One bit per byte of the 64 at `in`, least significant first: whether it is `threshold` or more.
static inline uint64_t bytes_at_least(const uint8_t *in, uint8_t threshold) {
  typedef uint8_t bytes __attribute__((ext_vector_type(64)));
  typedef _Bool bits __attribute__((ext_vector_type(64)));
  bytes values;
  memcpy(&values, in, sizeof values);
  bits flags = __builtin_convertvector(values >= (bytes)threshold, bits);
  uint64_t mask;
  memcpy(&mask, &flags, sizeof mask);
  return mask;
}
