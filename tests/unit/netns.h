/* For tests of the real kernel: a network namespace of their own, which ends with the program. */
#ifndef UNIT_NETNS_H
#define UNIT_NETNS_H

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "io/netlink.h"
#include "unit.h"

#define NETNS_SKIPPED 77 /* exit status that meson takes for "skipped" */

/* In *ret a netlink socket of the new namespace. 0, else what main() returns. */
static inline int netns_enter(struct netlink **ret)
{
	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "skipped: needs root and /dev/net/tun\n");
		return NETNS_SKIPPED;
	}
	return netlink_open(ret) < 0 ? 1 : 0;
}

#endif
