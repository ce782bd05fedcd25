/* Sources: cgroup-v2.rst (cpu.max) and sched-bwc.rst (version 1) of the kernel's documentation, cgroups(7).
 */
#include "io/cpus.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/span.h"
#include "base/util.h"

#define LIST_BYTES  4096 /* of /proc/self/cgroup: version 1 has about 12 lines */
#define VALUE_BYTES 64   /* two numbers */
#define PATH_BYTES  4096

/* The content as far as it fits; empty when there is none. */
static struct span file_read(const char *path, char *buf, size_t n_buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, n_buf);
	if (fd >= 0)
		close(fd);
	return span_of(buf, n > 0 ? (size_t)n : 0);
}

/* No limit is "max" or "-1", which are no numbers here. */
static unsigned in_processors(struct span quota_us, struct span period_us)
{
	uint64_t quota, period;
	if (parse_u64(quota_us, 0, UINT32_MAX, &quota) < 0 ||
	        parse_u64(period_us, 1, UINT32_MAX, &period) < 0)
		return CPUS_NO_QUOTA;
	uint64_t n = (quota + period - 1) / period;
	return n < 1 ? 1 : n < CPUS_NO_QUOTA ? (unsigned)n : CPUS_NO_QUOTA;
}

/* ---- one group ---- */

static unsigned quota_v2(const char *group)
{
	char path[PATH_BYTES + 16], buf[VALUE_BYTES];
	snprintf(path, sizeof(path), "%s/cpu.max", group);
	struct span rest = file_read(path, buf, sizeof(buf));
	struct span line = span_cut(&rest, '\n');
	struct span quota = span_cut(&line, ' ');
	return in_processors(quota, line);
}

static unsigned quota_v1(const char *group)
{
	char path[PATH_BYTES + 32], quota[VALUE_BYTES], period[VALUE_BYTES];
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", group);
	struct span q = file_read(path, quota, sizeof(quota));
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", group);
	struct span p = file_read(path, period, sizeof(period));
	return in_processors(span_cut(&q, '\n'), span_cut(&p, '\n'));
}

/* ---- the groups of this process ---- */

static bool has_word(struct span list, const char *word)
{
	while (list.n > 0) {
		if (span_is(span_cut(&list, ','), word))
			return true;
	}
	return false;
}

/* Of this group and of all above it. In a container the path may be the host's: what is not there limits
 * nothing, and the mount's own root is the container's group. */
static unsigned quota_upward(const char *mount, struct span group, unsigned (*quota_of)(const char *group))
{
	char path[PATH_BYTES];
	unsigned least = CPUS_NO_QUOTA;
	for (;;) {
		int n = snprintf(path, sizeof(path), "%s%.*s", mount, (int)group.n, (const char *)group.p);
		unsigned q = n >= 0 && (size_t)n < sizeof(path) ? quota_of(path) : CPUS_NO_QUOTA;
		least = q < least ? q : least;
		if (group.n == 0)
			return least;
		while (group.n > 0 && group.p[--group.n] != '/')
			;
	}
}

/* "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1. */
static unsigned quota_of_line(const char *root, struct span line)
{
	char mount[PATH_BYTES];
	(void)span_cut(&line, ':');
	struct span controllers = span_cut(&line, ':');
	if (controllers.n > 0 && !has_word(controllers, "cpu"))
		return CPUS_NO_QUOTA;
	int n = snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s%.*s", root, controllers.n > 0 ? "/" : "",
	        (int)controllers.n, (const char *)controllers.p);
	if (n < 0 || (size_t)n >= sizeof(mount))
		return CPUS_NO_QUOTA;
	return quota_upward(mount, line, controllers.n > 0 ? quota_v1 : quota_v2);
}

unsigned cpus_quota(const char *root)
{
	char path[PATH_BYTES], buf[LIST_BYTES];
	unsigned least = CPUS_NO_QUOTA;
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	struct span rest = file_read(path, buf, sizeof(buf));
	while (rest.n > 0) {
		unsigned q = quota_of_line(root, span_cut(&rest, '\n'));
		least = q < least ? q : least;
	}
	return least;
}

unsigned cpus_usable(void)
{
	cpu_set_t set;
	/* more of them than fit into a set: EINVAL */
	long n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
	                                                      : sysconf(_SC_NPROCESSORS_ONLN);
	unsigned quota = cpus_quota("");
	return n < 1 ? 1 : (unsigned long)n < quota ? (unsigned)n : quota;
}
