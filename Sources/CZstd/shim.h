// Sequences found elsewhere (ZSTD_compressSequences) are declared with the static API; the shared library exports them.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>
