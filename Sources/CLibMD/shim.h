#include <stddef.h>
#include <sha2.h>
