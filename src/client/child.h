/* Waiting for a program that was started. */
#ifndef CLIENT_CHILD_H
#define CLIENT_CHILD_H

#include <sys/types.h>

#include "base/util.h"

/* pid: of fork(), also a failed one. The program's exit status; -EIO: a signal ended it; -errno. */
MUST_USE int child_wait(pid_t pid);

#endif
