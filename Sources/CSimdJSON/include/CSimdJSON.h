// simdjson's structural index (its "stage 1") and a line index, behind a C ABI.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SLIndexer SLIndexer;

typedef enum SLIndexResult {
  SL_INDEX_OK = 0,
  SL_INDEX_NOT_UTF8,
  SL_INDEX_UNCLOSED_STRING,
  SL_INDEX_CONTROL_CHARACTER,
  SL_INDEX_OUT_OF_MEMORY,
  SL_INDEX_OTHER,
} SLIndexResult;

// NULL when memory is short. One indexer serves one thread at a time.
SLIndexer *sl_indexer_create(void);
void sl_indexer_free(SLIndexer *indexer);

// Finds where the tokens of `text` begin: brackets, separators, opening quotes and the first byte of any other run that is
// no blank. Also checks that the text is UTF-8, and that strings are closed and hold no control characters.
// `text[length - 1]` must be a newline, `length` below 2^31. On SL_INDEX_OK the result lies in sl_indexer_tokens: ascending
// offsets, followed by four times `length - 1`.
SLIndexResult sl_indexer_run(SLIndexer *indexer, const uint8_t *text, size_t length);
const uint32_t *sl_indexer_tokens(const SLIndexer *indexer);
size_t sl_indexer_token_count(const SLIndexer *indexer);

// Bit 31 of a line's entry: a backslash lies in the line.
#define SL_LINE_ESCAPED 0x80000000u

// Writes the offset of each newline of `text` into `lines`, which has room for `length` entries, and answers how many.
size_t sl_index_lines(const uint8_t *text, size_t length, uint32_t *lines);

// The offset after the last newline of `text`; 0 when there is none.
size_t sl_after_last_newline(const uint8_t *text, size_t length);

#ifdef __cplusplus
}
#endif
