#include "client/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/login_io.h"
#include "client/session.h"
#include "io/tun.h"

struct run {
	const struct connect_options *opt;
	struct events ev;
	int ready_fd; /* --background: tells the waiting parent that we are connected; else -1 */
	bool has_pid_file;
};

static void pid_file_write(struct run *r)
{
	if (r->opt->run.pid_file == NULL)
		return;
	FILE *f = fopen(r->opt->run.pid_file, "we");
	r->has_pid_file = f != NULL;
	if (f == NULL) {
		events_fail(&r->ev, "The pid file %s cannot be written: %s.", r->opt->run.pid_file,
		        err_text(-errno));
		return;
	}
	fprintf(f, "%ld\n", (long)getpid());
	fclose(f);
}

/* Off the terminal: the parent waits only for this. */
static void go_background(struct run *r)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	r->ev.is_silent = true;
	setsid();
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	(void)!write(r->ready_fd, "", 1);
	close(r->ready_fd);
	r->ready_fd = -1;
}

static void on_connected(void *ctx)
{
	struct run *r = ctx;
	pid_file_write(r);
	if (r->ready_fd >= 0)
		go_background(r);
}

static int run_session(struct run *r)
{
	struct gate *g = calloc(1, sizeof(*g));
	struct conn conn = {.fd = -1};
	struct credentials cr = {0};
	struct text why = {0};
	const struct connect_options *o = r->opt;
	int code = EXIT_USAGE;
	if (g == NULL || conn_init(&conn) != 0)
		goto exit;
	if (gate_init(g, o, &why) != 0) {
		events_fail(&r->ev, "Certificates cannot be used: %s", text_cstr(&why));
		goto exit;
	}
	int err = credentials_open(&cr, &o->credential);
	if (err) {
		events_fail(&r->ev, "%s: %s.", o->credential.password_file, err_text(err));
		goto exit;
	}
	code = login_run(g, &conn, &cr, &r->ev, &o->target, o->credential.certificate != NULL);
	credentials_close(&cr);
	if (code == 0)
		code = session_run(o, g, &conn, &r->ev, on_connected, r);
exit:
	text_done(&why);
	conn_done(&conn);
	if (g != NULL)
		gate_done(g);
	free(g);
	return code;
}

static int run_here(struct run *r)
{
	int err = events_open(&r->ev, r->opt->run.events_file, r->opt->run.verbosity);
	if (err) {
		fprintf(stderr, "culvert: %s: %s.\n", r->opt->run.events_file, err_text(err));
		return EXIT_USAGE;
	}
	events_note(&r->ev, EVENT_INFO, 0, "An SSL VPN connection to %s has been requested by the user.",
	        r->opt->target.host);
	int code = run_session(r);
	if (r->has_pid_file)
		unlink(r->opt->run.pid_file);
	events_note(&r->ev, EVENT_INFO, 0, "culvert ends with status %d.", code);
	events_close(&r->ev);
	return code;
}

/* The parent stays in front until the child is connected (then 0) or has ended (then its status), so that
 * questions can be asked and the caller's script knows. */
static int wait_connected(pid_t child, int fd)
{
	char byte;
	int status;
	ssize_t n;
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n == 1)
		return 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_UNREACHABLE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_UNREACHABLE;
}

static int run_background(struct run *r)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0) {
		fprintf(stderr, "culvert: cannot go to the background: %s.\n", err_text(-errno));
		return EXIT_USAGE;
	}
	pid_t child = fork();
	if (child < 0) {
		fprintf(stderr, "culvert: cannot go to the background: %s.\n", err_text(-errno));
		return EXIT_USAGE;
	}
	if (child > 0) {
		close(fds[1]);
		return wait_connected(child, fds[0]);
	}
	close(fds[0]);
	r->ready_fd = fds[1];
	return run_here(r);
}

/* What would be found out only when the adapter is there: by then a password was asked for. */
static int check_early(const struct connect_options *o)
{
	const char *script = o->network.script;
	char program[PATH_MAX];
	size_t n = script != NULL && script[0] == '/' ? strcspn(script, " \t;&|") : 0;
	if (n > 0 && n < sizeof(program)) {
		memcpy(program, script, n);
		program[n] = '\0';
		if (access(program, X_OK) < 0) {
			fprintf(stderr, "culvert: --script %s: %s.\n", program, err_text(-errno));
			return EXIT_USAGE;
		}
	}
	if (!tun_is_allowed(o->network.interface)) {
		fprintf(stderr, "culvert: The adapter cannot be made: this needs root or CAP_NET_ADMIN. Try: "
		                "sudo culvert "
		                "connect ...\n");
		return EXIT_NETWORK;
	}
	return 0;
}

int connect_command(int argc, char **argv)
{
	struct connect_options o;
	switch (options_parse(argc, argv, &o)) {
	case OPTIONS_HELP:
		options_print_help();
		return 0;
	case OPTIONS_BAD:
		fprintf(stderr, "Try: culvert connect --help\n");
		return EXIT_USAGE;
	case OPTIONS_OK:
		break;
	}
	int code = check_early(&o);
	if (code != 0)
		return code;
	signal(SIGPIPE, SIG_IGN);
	struct run r = {.opt = &o, .ready_fd = -1};
	return o.run.is_background ? run_background(&r) : run_here(&r);
}
