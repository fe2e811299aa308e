#pragma once
#include <stdint.h>

// What Linux's scheduler can be asked for and the C library has no words for.

// Asks that the calling thread's turns on a processor be so short, so that it gets one sooner when it wakes. Its nice value
// stays. Answers whether the system took it: kernels before 6.12 ignore it, and threads under other policies are left alone.
//
// Source: sched_setattr(2), sched_runtime of SCHED_OTHER.
int scheduler_take_short_turns(uint64_t nanoseconds);
