#include "gateway/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CHILD_EXEC_FAILED 127

static const struct {
	const char *name;
	uint8_t ipc_role;
	const char *argv[3]; /* what ps shows first */
} roles[CHILD_N_ROLES] = {
        [CHILD_AUTH] = {"auth", IPC_AUTH, {"culvertd: auth", "--role=auth"}},
        [CHILD_WORKER] = {"worker", IPC_WORKER, {"culvertd: worker", "--role=worker"}},
};

const char *child_role_name(enum child_role role)
{
	return roles[role].name;
}

int child_role_parse(const char *arg, enum child_role *ret)
{
	for (int i = 0; i < CHILD_N_ROLES; i++)
		if (strcmp(arg, roles[i].argv[1]) == 0) {
			*ret = (enum child_role)i;
			return 0;
		}
	return -ENOENT;
}

uint32_t child_backoff_ms(unsigned deaths)
{
	uint32_t ms = CHILD_BACKOFF_MIN_MS;
	while (deaths-- > 1 && ms < CHILD_BACKOFF_MAX_MS)
		ms *= 2;
	return ms < CHILD_BACKOFF_MAX_MS ? ms : CHILD_BACKOFF_MAX_MS;
}

/* In the new process, until exec: only async-signal-safe calls. */
static void child_become(enum child_role role, bool is_quiet, int fd)
{
	static char *const no_env[] = {NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid(); /* a Ctrl-C at the terminal is for the monitor, which then tells us */
	if (is_quiet) {
		int null = open("/dev/null", O_RDWR);
		if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(CHILD_EXEC_FAILED);
	}
	if (fd == CHILD_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, CHILD_FD) < 0)
		_exit(CHILD_EXEC_FAILED);
	if (close_range(CHILD_FD + 1, ~0u, 0) < 0)
		_exit(CHILD_EXEC_FAILED);
	execve("/proc/self/exe", (char *const *)roles[role].argv, no_env);
	_exit(CHILD_EXEC_FAILED);
}

int child_spawn(enum child_role role, bool is_quiet, struct chan *ret_chan, pid_t *ret_pid)
{
	int fds[2];
	int r = chan_pair(fds);
	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid == 0)
		child_become(role, is_quiet, fds[1]);
	r = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	chan_init(ret_chan, fds[0], IPC_MONITOR, roles[role].ipc_role);
	*ret_pid = pid;
	return 0;
}
