#include "CSimdJSON.h"
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

struct SLIndexer {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

SLIndexer *sl_indexer_create(void) {
  auto *indexer = new (std::nothrow) SLIndexer;
  if (indexer == nullptr) return nullptr;
  auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(1 << 16, 1, indexer->parser);
  if (error == simdjson::SUCCESS) return indexer;
  delete indexer;
  return nullptr;
}

void sl_indexer_free(SLIndexer *indexer) { delete indexer; }

const uint32_t *sl_indexer_tokens(const SLIndexer *indexer) { return indexer->parser->structural_indexes.get(); }

size_t sl_indexer_token_count(const SLIndexer *indexer) { return indexer->parser->n_structural_indexes; }

SLIndexResult sl_indexer_run(SLIndexer *indexer, const uint8_t *text, size_t length) {
  auto &parser = *indexer->parser;
  if (length > parser.capacity() && parser.set_capacity(length + length / 2) != simdjson::SUCCESS) {
    return SL_INDEX_OUT_OF_MEMORY;
  }
  auto error = parser.stage1(text, length, simdjson::stage1_mode::regular);
  switch (error) {
  case simdjson::SUCCESS: break;
  case simdjson::EMPTY: parser.n_structural_indexes = 0; break;
  case simdjson::UTF8_ERROR: return SL_INDEX_NOT_UTF8;
  case simdjson::UNCLOSED_STRING: return SL_INDEX_UNCLOSED_STRING;
  case simdjson::UNESCAPED_CHARS: return SL_INDEX_CONTROL_CHARACTER;
  case simdjson::MEMALLOC:
  case simdjson::CAPACITY: return SL_INDEX_OUT_OF_MEMORY;
  default: return SL_INDEX_OTHER;
  }
  // simdjson allots nine entries more than the text has bytes.
  uint32_t *end = parser.structural_indexes.get() + parser.n_structural_indexes;
  for (int k = 0; k < 4; k++) end[k] = uint32_t(length - 1);
  return SL_INDEX_OK;
}

typedef uint8_t Bytes __attribute__((ext_vector_type(64)));
typedef bool Bits __attribute__((ext_vector_type(64)));

static inline __attribute__((always_inline)) uint64_t positions(const Bytes &bytes, uint8_t byte) {
  Bits bits = __builtin_convertvector(bytes == byte, Bits);
  uint64_t mask;
  std::memcpy(&mask, &bits, sizeof mask);
  return mask;
}

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
static size_t index_lines(const uint8_t *text, size_t length, uint32_t *lines) {
  uint32_t *line = lines;
  uint64_t escaped = 0;
  for (size_t offset = 0; offset < length; offset += 64) {
    Bytes bytes;
    if (length - offset >= 64) {
      std::memcpy(&bytes, text + offset, 64);
    } else {
      bytes = 0;
      std::memcpy(&bytes, text + offset, length - offset);
    }
    uint64_t newlines = positions(bytes, '\n');
    uint64_t backslashes = positions(bytes, '\\');
    while (newlines != 0) {
      uint64_t through = newlines ^ (newlines - 1);
      escaped |= backslashes & through;
      *line++ = uint32_t(offset + __builtin_ctzll(newlines)) | (escaped != 0 ? SL_LINE_ESCAPED : 0);
      backslashes &= ~through;
      newlines &= newlines - 1;
      escaped = 0;
    }
    escaped |= backslashes;
  }
  return size_t(line - lines);
}

size_t sl_index_lines(const uint8_t *text, size_t length, uint32_t *lines) { return index_lines(text, length, lines); }

size_t sl_after_last_newline(const uint8_t *text, size_t length) {
  auto *newline = static_cast<const uint8_t *>(memrchr(text, '\n', length));
  return newline == nullptr ? 0 : size_t(newline - text) + 1;
}
