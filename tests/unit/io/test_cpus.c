/* The kernel's files of control groups, made up in a folder. */
#include "../unit.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/cpus.h"

static char root[PATH_MAX];

static void file_put(const char *path, const char *text)
{
	char full[2 * PATH_MAX];
	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(full, 0700);
		*at = '/';
	}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	const char *dir = getenv("TMPDIR");
	snprintf(root, sizeof(root), "%s/culvert-cpus-XXXXXX", dir ? dir : "/tmp");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[PATH_MAX + 16];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command); /* NOLINT: a folder of our own */
}

TEST(no_files_no_quota)
{
	assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA);
	file_put("/proc/self/cgroup", "0::/\n");
	assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA);
}

TEST(version_2_takes_the_least_of_all_above)
{
	file_put("/proc/self/cgroup", "0::/system.slice/culvertd.service\n");
	file_put("/sys/fs/cgroup/system.slice/culvertd.service/cpu.max", "max 100000\n");
	assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA);
	file_put("/sys/fs/cgroup/system.slice/cpu.max", "350000 100000\n");
	assert_int_equal(cpus_quota(root), 4); /* three and a half keep four busy */
	file_put("/sys/fs/cgroup/system.slice/culvertd.service/cpu.max", "200000 100000\n");
	assert_int_equal(cpus_quota(root), 2);
	file_put("/sys/fs/cgroup/system.slice/culvertd.service/cpu.max", "1000 100000\n");
	assert_int_equal(cpus_quota(root), 1);
}

TEST(version_2_in_a_container)
{
	/* the mount is the container's group; the path may be its own or the host's */
	file_put("/sys/fs/cgroup/cpu.max", "150000 50000\n");
	file_put("/proc/self/cgroup", "0::/\n");
	assert_int_equal(cpus_quota(root), 3);
	file_put("/proc/self/cgroup", "0::/../../docker/0123/init\n");
	assert_int_equal(cpus_quota(root), 3);
}

TEST(version_1)
{
	file_put("/proc/self/cgroup",
	        "5:cpuset:/\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/docker/0123\n0::/\n");
	file_put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	file_put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA);
	file_put("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "250000\n");
	assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA); /* without its period it says nothing */
	file_put("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cpus_quota(root), 3);
	file_put("/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "1\n");
	file_put("/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "1\n");
	assert_int_equal(cpus_quota(root), 3); /* another controller's folder */
}

TEST(nonsense_limits_nothing)
{
	static const char *const bad[] = {"", "\n", "100000\n", "100000 0\n", "x 100000\n",
	        "99999999999999999999 100000\n", "100000 100000 1\n"};
	file_put("/proc/self/cgroup", "\n:\n::\n0\n0::/\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_put("/sys/fs/cgroup/cpu.max", bad[i]);
		assert_int_equal(cpus_quota(root), CPUS_NO_QUOTA);
	}
}

TEST(affinity_counts)
{
	cpu_set_t all, one;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	unsigned quota = cpus_quota(""), n = (unsigned)CPU_COUNT(&all);
	assert_int_equal(cpus_usable(), n < quota ? n : quota);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_usable(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(no_files_no_quota, setup, teardown),
	        cmocka_unit_test_setup_teardown(version_2_takes_the_least_of_all_above, setup, teardown),
	        cmocka_unit_test_setup_teardown(version_2_in_a_container, setup, teardown),
	        cmocka_unit_test_setup_teardown(version_1, setup, teardown),
	        cmocka_unit_test_setup_teardown(nonsense_limits_nothing, setup, teardown),
	        cmocka_unit_test(affinity_counts),
	};
	return RUN(tests);
}
