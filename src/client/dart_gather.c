#include "client/dart_gather.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/child.h"
#include "client/dart_text.h"
#include "io/loop.h"

#define IP_ARGS_MAX 8

static const char *const ip_places[] = {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"};

/* In the child. */
static void run_ip(const char *const *argv, int out_fd)
{
	const char *args[IP_ARGS_MAX + 2] = {"ip"};
	char *env[] = {NULL};
	for (size_t i = 0; i < IP_ARGS_MAX && argv[i] != NULL; i++)
		args[i + 1] = argv[i];
	dup2(out_fd, STDOUT_FILENO);
	dup2(out_fd, STDERR_FILENO);
	for (size_t i = 0; i < N_ELEM(ip_places); i++)
		execve(ip_places[i], (char *const *)args, env);
	static const char missing[] = "(the program ip is not installed)\n";
	(void)!write(STDOUT_FILENO, missing, sizeof(missing) - 1);
	_exit(127);
}

/* Until the end, the limit, or the time. */
static void take_output(int fd, struct text *out)
{
	char buf[4096];
	size_t left = DART_OUTPUT_MAX;
	ms_t until_ms = loop_now() + DART_RUN_MS;
	for (;;) {
		ms_t now_ms = loop_now();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (now_ms >= until_ms || poll(&p, 1, (int)(until_ms - now_ms)) <= 0)
			return;
		ssize_t n = read(fd, buf, sizeof(buf) < left ? sizeof(buf) : left);
		if (n <= 0)
			return;
		text_put(out, span_of(buf, (size_t)n));
		left -= (size_t)n;
		if (left == 0)
			return;
	}
}

void dart_run_ip(const char *const *argv, struct text *out)
{
	int fds[2];
	text_str(out, "$ ip");
	for (size_t i = 0; argv[i] != NULL; i++)
		text_fmt(out, " %s", argv[i]);
	text_str(out, "\n");
	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	pid_t child = fork();
	if (child == 0)
		run_ip(argv, fds[1]);
	close(fds[1]);
	if (child > 0) {
		take_output(fds[0], out);
		kill(child, SIGKILL); /* it has ended, or has had its time */
		int status = child_wait(child);
		(void)status; /* what it printed is there */
	}
	close(fds[0]);
	text_str(out, "\n");
}

void dart_put_file(const char *path, struct text *out)
{
	char buf[4096];
	size_t n, left = DART_OUTPUT_MAX;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return;
	text_fmt(out, "# %s\n", path);
	while (left > 0 && (n = fread(buf, 1, sizeof(buf) < left ? sizeof(buf) : left, f)) > 0) {
		text_put(out, span_of(buf, n));
		left -= n;
	}
	text_str(out, "\n");
	fclose(f);
}

int dart_put_log(const char *path, struct text *out)
{
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	char *line = malloc(DART_LINE_MAX + 2);
	int err = line == NULL ? -ENOMEM : 0;
	/* the newest; the line that this cuts is no JSON and so no event */
	if (err == 0 && fseek(f, 0, SEEK_END) == 0 && ftell(f) > (long)DART_EVENTS_MAX)
		(void)fseek(f, -(long)DART_EVENTS_MAX, SEEK_END);
	else
		rewind(f);
	while (err == 0 && fgets(line, DART_LINE_MAX + 2, f) != NULL)
		(void)dart_event_put(span_str(line), out);
	free(line);
	fclose(f);
	return err;
}
