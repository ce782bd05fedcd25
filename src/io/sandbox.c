#include "io/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cap-ng.h>

#include "io/sandbox_filter.h"

#define SANDBOX_NOBODY 65534

struct sandbox_who {
	uid_t uid;
	gid_t gid;
};

static int sandbox_user_find(const char *name, struct sandbox_who *ret)
{
	const struct passwd *p = name != NULL ? getpwnam(name) : NULL;
	if (p == NULL)
		p = getpwnam("nobody");
	*ret = p != NULL ? (struct sandbox_who){.uid = p->pw_uid, .gid = p->pw_gid}
	                 : (struct sandbox_who){.uid = SANDBOX_NOBODY, .gid = SANDBOX_NOBODY};
	return ret->uid == 0 || ret->gid == 0 ? -EINVAL : 0; /* becoming root is no sandbox */
}

/* A worker's root: a directory of root's that nobody else can fill, and empty. */
static int sandbox_root_check(const char *path, bool is_empty_wanted)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (!is_empty_wanted)
		return 0;
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	DIR *dir = opendir(path);
	if (dir == NULL)
		return -errno;
	int r = 0;
	for (const struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = -ENOTEMPTY;
	closedir(dir);
	return r;
}

static int sandbox_limit(int what, uint64_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
	return setrlimit(what, &limit) < 0 ? -errno : 0;
}

static int sandbox_limits_set(const struct sandbox_config *config)
{
	int r = sandbox_limit(RLIMIT_CORE, 0); /* keys are in memory */
	if (r == 0 && config->files_max != 0)
		r = sandbox_limit(RLIMIT_NOFILE, config->files_max);
	if (r == 0 && config->memory_max_bytes != 0)
		r = sandbox_limit(RLIMIT_AS, config->memory_max_bytes);
	/* the kernel writes no file for a worker; log files stay usable, so no RLIMIT_FSIZE */
	return r;
}

static int sandbox_root_enter(const struct sandbox_config *config)
{
	if (config->root_dir == NULL)
		return 0;
	int r = sandbox_root_check(config->root_dir, config->profile == SANDBOX_WORKER);
	if (r == 0 && (chroot(config->root_dir) < 0 || chdir("/") < 0))
		r = -errno;
	return r;
}

static int sandbox_user_drop(const struct sandbox_who *who)
{
	uid_t r, e, s;
	/* the bounding set first, that needs CAP_SETPCAP; the change of user then clears the rest */
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return -EPERM;
	if (setgroups(0, NULL) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
	        setresuid(who->uid, who->uid, who->uid) < 0)
		return -errno;
	if (getresuid(&r, &e, &s) < 0 || r != who->uid || e != who->uid || s != who->uid || setuid(0) == 0)
		return -EPERM;
	return 0;
}

static int sandbox_caps_clear(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ? -EPERM : 0;
}

static int sandbox_privileges_lock(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int sandbox_enter(const struct sandbox_config *config, const char **ret_step)
{
	struct sandbox_who who = {0};
	const char *step;
	int r = 0;

	step = "look up the user"; /* while the files of the name service can still be read */
	if (!config->keeps_user && (r = sandbox_user_find(config->user, &who)) < 0)
		goto fail;
	step = "set the limits";
	if ((r = sandbox_limits_set(config)) < 0)
		goto fail;
	step = "change the root directory";
	if (!config->keeps_user && (r = sandbox_root_enter(config)) < 0)
		goto fail;
	step = "change the user";
	if (!config->keeps_user && (r = sandbox_user_drop(&who)) < 0)
		goto fail;
	step = "drop the capabilities";
	if ((r = sandbox_caps_clear()) < 0)
		goto fail;
	step = "forbid new privileges";
	if ((r = sandbox_privileges_lock()) < 0)
		goto fail;
	step = "load the system call filter";
	if ((r = sandbox_filter_load(config->profile)) < 0)
		goto fail;
	return 0;
fail:
	if (ret_step != NULL)
		*ret_step = step;
	return r;
}

void sandbox_hide_memory(void)
{
	if (sandbox_has_filter()) /* leak detection looks at the process from outside */
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
