// RE2 behind a C ABI: CEL's `matches` is defined as RE2.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SLPattern SLPattern;

// Compiles `pattern`; NULL, with a message in `error`, when it is no RE2 expression.
SLPattern *sl_re2_compile(const char *pattern, size_t length, char *error, size_t error_capacity);
void sl_re2_free(SLPattern *pattern);
// Whether the pattern matches anywhere in the text.
bool sl_re2_search(const SLPattern *pattern, const char *text, size_t length);

#ifdef __cplusplus
}
#endif
