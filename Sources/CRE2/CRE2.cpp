#include "CRE2.h"
#include <re2/re2.h>
#include <cstring>

struct SLPattern {
  re2::RE2 re;
  SLPattern(re2::StringPiece text, const re2::RE2::Options &options) : re(text, options) {}
};

SLPattern *sl_re2_compile(const char *pattern, size_t length, char *error, size_t error_capacity) {
  re2::RE2::Options options(re2::RE2::Quiet);
  auto *compiled = new SLPattern(re2::StringPiece(pattern, length), options);
  if (compiled->re.ok()) return compiled;
  if (error_capacity > 0) {
    std::strncpy(error, compiled->re.error().c_str(), error_capacity - 1);
    error[error_capacity - 1] = 0;
  }
  delete compiled;
  return nullptr;
}

void sl_re2_free(SLPattern *pattern) { delete pattern; }

bool sl_re2_search(const SLPattern *pattern, const char *text, size_t length) {
  return re2::RE2::PartialMatch(re2::StringPiece(text, length), pattern->re);
}
