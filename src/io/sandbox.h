/* Locks the calling process in, for good: user, root directory, limits, capabilities, system calls.
 *
 * Call it after everything that needs rights is open (sockets, TUN, files, log) and before the first byte of
 * a peer is read. Threads that already run get the system call filter too, but not the user change's
 * guarantees of their own stacks: best call it before threads start. No environment variable is read. There
 * is no switch to weaken it at run time; builds with a sanitizer (which need ptrace and /proc) leave the
 * filter out at compile time, see sandbox_has_filter(). */
#ifndef IO_SANDBOX_H
#define IO_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

enum sandbox_profile {
	/* Touches every byte from the Internet. May use descriptors it has, accept, make threads, memory,
	 * time, random. Opening files and sockets is answered with an error, since libraries try that and go
	 * on without (EACCES). Anything else kills the whole process with SIGSYS and leaves an audit line: a
	 * worker that calls execve is not ours any more, and the monitor starts a new one. */
	SANDBOX_WORKER,
	/* Asks RADIUS and LDAP servers and keeps files below its state directory (make that the root
	 * directory): additionally sockets and files. What is not on the list is refused with EPERM and an
	 * audit line, since PAM modules try many things. execve, ptrace, mount, bpf and the like still kill.
	 */
	SANDBOX_AUTH,
};

struct sandbox_config {
	enum sandbox_profile profile;
	const char *user;          /* NULL, unknown or without root: "nobody" in place of an unknown one */
	const char *root_dir;      /* chroot here; NULL: not. A worker's must be empty and owned by root */
	uint64_t files_max;        /* RLIMIT_NOFILE; 0: leave */
	uint64_t memory_max_bytes; /* RLIMIT_AS; 0: leave */
	bool keeps_user;           /* not root (tests, developer): stay who we are, no chroot, filter only */
};

/* 0, or -errno with *ret_step (may be NULL) naming the step that failed, a constant text. After a failure the
 * process is half locked: end it. Needs root unless keeps_user. -ENOTEMPTY: a worker's root_dir has entries.
 */
MUST_USE int sandbox_enter(const struct sandbox_config *config, const char **ret_step);
/* For a process that keeps its rights: no core dump and no debugger but root's sees its memory, where keys
 * and passwords are. Programs that it starts are not concerned. Nothing in sanitizer builds. */
void sandbox_hide_memory(void);
/* False in sanitizer builds: no system call filter compiled in. */
bool sandbox_has_filter(void);

#endif
