#include "CScheduler.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// struct sched_attr of the first version: 48 bytes.
struct attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int scheduler_take_short_turns(uint64_t nanoseconds) {
  struct attributes attributes;
  memset(&attributes, 0, sizeof attributes);
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != 0) return 0;
  attributes.size = sizeof attributes;
  attributes.runtime = nanoseconds;
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}
