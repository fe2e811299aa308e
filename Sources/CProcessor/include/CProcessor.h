#pragma once
#include <stddef.h>
#include <stdint.h>

// What the processor can do and Swift has no words for.

// Begins to load the cache line that holds `address`, which need not be readable.
static inline void processor_prefetch(const void *address) { __builtin_prefetch(address); }

// Goes on with the CRC-32 of gzip and Parquet, `*crc`, over whole blocks of 16 bytes; answers how many bytes that were:
// 0 on processors that multiply no polynomials, and for fewer than 64 bytes.
//
// Source: V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009.
size_t processor_crc32(uint32_t *crc, const uint8_t *bytes, size_t count);
