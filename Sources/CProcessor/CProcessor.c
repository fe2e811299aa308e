#include "CProcessor.h"

#if defined(__x86_64__)
#include <immintrin.h>

// x^n modulo the polynomial, bits reversed: what moves 128 bits by so many bits further.
#define BY_512 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define BY_128 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
#define BY_64 _mm_set_epi64x(0, 0x163cd6124)
#define BARRETT _mm_set_epi64x(0x1f7011641, 0x1db710641)
#define TARGET __attribute__((target("pclmul,sse4.1")))

static inline TARGET __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

static inline TARGET __m128i fold(__m128i value, __m128i by, __m128i next) {
  __m128i low = _mm_clmulepi64_si128(value, by, 0x00), high = _mm_clmulepi64_si128(value, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

static inline TARGET uint32_t reduce(__m128i value) {
  const __m128i words = _mm_setr_epi32(~0, 0, ~0, 0);
  value = _mm_xor_si128(_mm_srli_si128(value, 8), _mm_clmulepi64_si128(value, BY_128, 0x10));
  value = _mm_xor_si128(_mm_srli_si128(value, 4), _mm_clmulepi64_si128(_mm_and_si128(value, words), BY_64, 0x00));
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(value, words), BARRETT, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, words), BARRETT, 0x00);
  return _mm_extract_epi32(_mm_xor_si128(value, quotient), 1);
}

static TARGET uint32_t crc32_blocks(uint32_t crc, const uint8_t *bytes, size_t count) {
  __m128i a = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128(~crc));
  __m128i b = load(bytes + 16), c = load(bytes + 32), d = load(bytes + 48);
  size_t at = 64;
  for (; at + 64 <= count; at += 64) {
    a = fold(a, BY_512, load(bytes + at));
    b = fold(b, BY_512, load(bytes + at + 16));
    c = fold(c, BY_512, load(bytes + at + 32));
    d = fold(d, BY_512, load(bytes + at + 48));
  }
  a = fold(fold(fold(a, BY_128, b), BY_128, c), BY_128, d);
  for (; at < count; at += 16) a = fold(a, BY_128, load(bytes + at));
  return ~reduce(a);
}

size_t processor_crc32(uint32_t *crc, const uint8_t *bytes, size_t count) {
  count &= ~(size_t)15;
  if (count < 64 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 0;
  *crc = crc32_blocks(*crc, bytes, count);
  return count;
}
#else
size_t processor_crc32(uint32_t *crc, const uint8_t *bytes, size_t count) { return 0; }
#endif
