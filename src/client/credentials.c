#include "client/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int credentials_open(struct credentials *c, const struct credential_options *o)
{
	*c = (struct credentials){0};
	if (o->has_password_stdin) {
		c->lines = stdin;
		return 0;
	}
	if (o->password_file != NULL) {
		c->lines = fopen(o->password_file, "re");
		return c->lines != NULL ? 0 : -errno;
	}
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	c->is_interactive = tty >= 0;
	if (tty >= 0)
		close(tty);
	return 0;
}

void credentials_close(struct credentials *c)
{
	if (c->lines != NULL && c->lines != stdin)
		fclose(c->lines);
	c->lines = NULL;
}

static int line_read(FILE *f, char ret[static CREDENTIAL_BYTES])
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = getline(&line, &cap, f);
	int err = 0;
	if (n < 0) {
		err = -ENODATA;
		goto exit;
	}
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		line[--n] = '\0';
	if (n >= CREDENTIAL_BYTES) {
		err = -EMSGSIZE;
		goto exit;
	}
	memcpy(ret, line, (size_t)n + 1);
exit:
	if (line != NULL)
		explicit_bzero(line, cap);
	free(line);
	return err;
}

/* ---- terminal ---- */

static volatile sig_atomic_t got_signal;

static void remember_signal(int sig)
{
	got_signal = sig;
}

static const int tty_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* One line of fd without the newline. -EINTR when a signal came. */
static int tty_line(int fd, char ret[static CREDENTIAL_BYTES])
{
	size_t n = 0;
	for (;;) {
		char c;
		ssize_t r = read(fd, &c, 1);
		if (r < 0 && errno == EINTR && got_signal == 0)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -ENODATA;
		if (c == '\n')
			break;
		if (n == CREDENTIAL_BYTES - 1)
			return -EMSGSIZE;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return 0;
}

/* Echo must come back whatever happens: signals only end the read, then are delivered again. */
static int tty_ask(const char *label, bool has_echo, char ret[static CREDENTIAL_BYTES])
{
	struct sigaction old[N_ELEM(tty_signals)], catch = {.sa_handler = remember_signal};
	struct termios before, quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -ENODATA;
	got_signal = 0;
	for (size_t i = 0; i < N_ELEM(tty_signals); i++)
		sigaction(tty_signals[i], &catch, &old[i]);
	bool is_quiet = !has_echo && tcgetattr(fd, &before) == 0;
	if (is_quiet) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
	dprintf(fd, "%s ", label);
	int err = tty_line(fd, ret);
	if (is_quiet) {
		tcsetattr(fd, TCSAFLUSH, &before);
		dprintf(fd, "\n");
	}
	close(fd);
	for (size_t i = 0; i < N_ELEM(tty_signals); i++)
		sigaction(tty_signals[i], &old[i], NULL);
	if (got_signal != 0) {
		raise(got_signal);
		return -EINTR;
	}
	return err;
}

int credentials_secret(struct credentials *c, const char *label, char ret[static CREDENTIAL_BYTES])
{
	if (c->lines != NULL)
		return line_read(c->lines, ret);
	return c->is_interactive ? tty_ask(label, false, ret) : -ENODATA;
}

int credentials_text(struct credentials *c, const char *label, char ret[static CREDENTIAL_BYTES])
{
	return c->is_interactive ? tty_ask(label, true, ret) : -ENODATA;
}
