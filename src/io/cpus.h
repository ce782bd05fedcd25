/* How many processors this process may use. */
#ifndef IO_CPUS_H
#define IO_CPUS_H

#include <limits.h>

#define CPUS_NO_QUOTA UINT_MAX

/* Those of its affinity mask (cpusets count in it), fewer where a quota allows less. At least 1. */
unsigned cpus_usable(void);

/* The smallest quota of processor time among its cgroup and those above it, in whole processors, rounded up;
 * CPUS_NO_QUOTA. root goes before the paths of the kernel's files: "", or where a test has its own. */
unsigned cpus_quota(const char *root);

#endif
