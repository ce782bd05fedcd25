/* culvertd: the gateway. One program, three processes: without --role the monitor, which starts the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth.h"
#include "gateway/child.h"
#include "gateway/conf_file.h"
#include "gateway/monitor.h"
#include "gateway/process.h"

static int role_run(enum child_role role)
{
	static const struct {
		int (*main)(int monitor_fd);
		const char *comm; /* what top and ps -e show, at most 15 characters */
	} roles[CHILD_N_ROLES] = {
	        [CHILD_AUTH] = {auth_main, "culvertd-auth"},
	        [CHILD_WORKER] = {worker_main, "culvertd-worker"},
	};
	if (fcntl(CHILD_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fprintf(stderr, "culvertd: --role is for the gateway's own use\n");
		return 1;
	}
	prctl(PR_SET_NAME, roles[role].comm);
	return roles[role].main(CHILD_FD);
}

static int config_load(const struct options *o, struct config **ret)
{
	struct text messages = {0};
	struct config *c = NULL;
	int r = conf_file_load(o->config_file, &messages, &c);
	if (r == 0 && (r = conf_file_check(c, o->config_file, &messages)) < 0) {
		config_put(c);
		c = NULL;
	}
	fputs(text_cstr(&messages), stderr);
	text_done(&messages);
	*ret = c;
	return r;
}

/* The parent of a gateway that goes into the background: stays until it serves, or has failed. */
static int background_wait(int fd, pid_t pid)
{
	char byte;
	int status;
	ssize_t n;
	while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
		;
	if (n == 1)
		return 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 0
	               ? WEXITSTATUS(status)
	               : 1;
}

static int background_run(const struct options *o, struct config *c)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0) {
		fprintf(stderr, "culvertd: %s\n", err_text(-errno));
		config_put(c);
		return 1;
	}
	pid_t pid = fork();
	if (pid < 0)
		fprintf(stderr, "culvertd: %s\n", err_text(-errno));
	if (pid == 0) {
		close(fds[0]);
		setsid();
		return monitor_run(o, c, fds[1]);
	}
	close(fds[1]);
	config_put(c);
	int status = pid < 0 ? 1 : background_wait(fds[0], pid);
	close(fds[0]);
	return status;
}

int main(int argc, char *argv[])
{
	enum child_role role;
	struct options o;
	struct config *c;
	struct text say = {0};

	if (argc == 2 && child_role_parse(argv[1], &role) == 0)
		return role_run(role);
	enum options_verdict verdict = options_parse(argc, argv, &o, &say);
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say);
	if (config_load(&o, &c) < 0)
		return 1;
	if (o.is_test) {
		config_put(c);
		return 0;
	}
	return o.is_foreground ? monitor_run(&o, c, -1) : background_run(&o, c);
}
