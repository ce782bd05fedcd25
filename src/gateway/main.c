/* culvertd: the gateway. One program, three processes: without --role the monitor, which starts the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth.h"
#include "gateway/child.h"
#include "gateway/conf_file.h"
#include "gateway/identity.h"
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

/* The last line of --test. */
static void verdict_print(const char *path, struct span messages, bool is_good)
{
	static const char *const kinds[] = {"error:", "warning:", "ignored:"};
	size_t n[N_ELEM(kinds)] = {0};
	while (messages.n > 0) {
		struct span line = span_skip(span_cut(&messages, '\n'), strlen(path));
		span_cut(&line, ' '); /* line and column */
		struct span kind = span_cut(&line, ' ');
		for (size_t i = 0; i < N_ELEM(kinds); i++)
			n[i] += span_is(kind, kinds[i]);
	}
	printf("%s %s be used; errors: %zu, warnings: %zu, ignored: %zu\n", path, is_good ? "can" : "cannot",
	        n[0], n[1], n[2]);
}

/* What a start would find out later. */
static int certificate_test(const struct config *c, const char *path, struct text *messages)
{
	struct text why = {0};
	struct identity id;
	int r = identity_test(c, &id, &why);
	if (r == 0) {
		identity_warn(&id, (int64_t)time(NULL), &why);
		if (why.n > 0)
			text_fmt(messages, "%s:1:1: warning: %s\n", path, text_cstr(&why));
		identity_done(&id);
	} else if (r == -EACCES && geteuid() != 0) {
		text_fmt(messages, "%s:1:1: warning: %s: not checked\n", path, text_cstr(&why));
		r = 0;
	} else {
		text_fmt(messages, "%s:1:1: error: %s\n", path, text_cstr(&why));
	}
	text_done(&why);
	return r;
}

static int config_load(const struct options *o, struct config **ret)
{
	struct text messages = {0};
	struct config *c = NULL;
	int r = conf_file_load(o->config_file, &messages, &c);
	if (r == 0)
		r = conf_file_check(c, o->config_file, &messages);
	if (r == 0 && o->is_test)
		r = certificate_test(c, o->config_file, &messages);
	if (r < 0) {
		config_put(c);
		c = NULL;
	}
	fputs(text_cstr(&messages), stderr);
	if (o->is_test)
		verdict_print(o->config_file, span_of(messages.p, messages.n), r == 0);
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
