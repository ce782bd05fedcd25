/* The system call filter alone, for sandbox.c and its tests. */
#ifndef IO_SANDBOX_FILTER_H
#define IO_SANDBOX_FILTER_H

#include "io/sandbox.h"

/* For all threads, not revocable; no_new_privs must be set. 0 (also where it is not compiled in) or -errno.
 */
MUST_USE int sandbox_filter_load(enum sandbox_profile profile);

#endif
