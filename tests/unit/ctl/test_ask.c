/* The console program's way of taking an answer, from a gateway that is a script in a child process. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "io/sock.h"

#define PACKET_BYTES 16384
#define LARGE_BYTES  ((size_t)40 << 20) /* more than a text may have */

static char path[64];
static const char *const words[] = {"show", "something"};

/* ---- the gateway ---- */

typedef void script_f(int fd);

static void say(int fd, const char *kind, const void *p, size_t n)
{
	static char buf[PACKET_BYTES + 1];
	buf[0] = kind[0];
	memcpy(buf + 1, p, n);
	if (send(fd, buf, n + 1, MSG_NOSIGNAL) != (ssize_t)n + 1)
		_exit(0); /* the asker has gone */
}

static void say_data(int fd, size_t n)
{
	static char buf[PACKET_BYTES];
	memset(buf, 'x', sizeof(buf));
	for (; n > 0; n -= n < sizeof(buf) ? n : sizeof(buf))
		say(fd, "D", buf, n < sizeof(buf) ? n : sizeof(buf));
}

static pid_t gateway_start(script_f *script)
{
	char request[4096];
	int listener;
	(void)unlink(path);
	assert_int_equal(sock_listen_unix(path, 0600, geteuid(), getegid(), &listener), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = -1;
		while (fd < 0)
			fd = accept(listener, NULL, NULL);
		if (recv(fd, request, sizeof(request), 0) > 0)
			script(fd);
		_exit(0);
	}
	close(listener);
	return pid;
}

static void gateway_wait(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- the asker ---- */

static size_t n_given, n_wanted;

static bool take(void *ctx, struct span data)
{
	(void)ctx;
	for (size_t i = 0; i < data.n; i++)
		assert_int_equal(data.p[i], 'x');
	n_given += data.n;
	return n_given < n_wanted;
}

static int ask_script(script_f *script, struct ask_answer *ret)
{
	pid_t pid = gateway_start(script);
	n_given = 0;
	int r = ask_stream(path, words, N_ELEM(words), false, take, NULL, ret);
	gateway_wait(pid);
	return r;
}

static void short_error(int fd)
{
	say(fd, "D", "ERROR: no\n", 10);
	say(fd, "E", "\0\0\0\1", 4);
}

TEST(a_short_answer_is_kept_until_its_status_is_known)
{
	struct ask_answer a;
	assert_int_equal(ask_script(short_error, &a), 0);
	assert_int_equal(a.status, 1);
	assert_string_equal(text_cstr(&a.text), "ERROR: no\n");
	assert_int_equal(n_given + a.cut.n, 0);
	ask_answer_done(&a);
}

static void large(int fd)
{
	say_data(fd, LARGE_BYTES);
	say(fd, "E", "\0\0\0\0", 4);
}

TEST(a_long_answer_costs_no_memory)
{
	struct ask_answer a;
	struct rusage before, after;
	n_wanted = SIZE_MAX;
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	assert_int_equal(ask_script(large, &a), 0);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_int_equal(a.status, 0);
	assert_int_equal(n_given + a.text.n, LARGE_BYTES);
	if (UNIT_MEMORY_COUNTS)
		assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 4096); /* KiB */
	ask_answer_done(&a);
	n_wanted = 100000; /* who prints it has had enough */
	assert_int_equal(ask_script(large, &a), -EPIPE);
	assert_in_range(n_given, n_wanted, n_wanted + 2 * ASK_HOLD_BYTES);
	ask_answer_done(&a);
}

static void broken_off(int fd)
{
	say_data(fd, 1000000);
}

static void broken_off_soon(int fd)
{
	say_data(fd, 100);
}

TEST(an_answer_without_its_end_is_an_error)
{
	struct ask_answer a;
	n_wanted = SIZE_MAX;
	assert_int_equal(ask_script(broken_off, &a), ERR_CLOSED);
	assert_true(n_given > 0);
	ask_answer_done(&a);
	assert_int_equal(ask_script(broken_off_soon, &a), ERR_CLOSED);
	ask_answer_done(&a);
}

static void cut_short(int fd)
{
	say_data(fd, 1000000);
	say(fd, "E", "\0\0\0\1memory is short", 19);
}

TEST(the_gateway_says_why_it_ends_too_early)
{
	struct ask_answer a;
	n_wanted = SIZE_MAX;
	assert_int_equal(ask_script(cut_short, &a), 0);
	assert_int_equal(a.status, 1);
	assert_string_equal(text_cstr(&a.cut), "memory is short");
	assert_int_equal(n_given + a.text.n, 1000000);
	ask_answer_done(&a);
}

static void nonsense(int fd)
{
	say(fd, "Q", "", 0);
}

static void short_end(int fd)
{
	say(fd, "E", "\0\0", 2);
}

TEST(what_no_gateway_says)
{
	struct ask_answer a;
	assert_int_equal(ask_script(nonsense, &a), ERR_PEER_PROTOCOL);
	ask_answer_done(&a);
	assert_int_equal(ask_script(short_end, &a), ERR_PEER_PROTOCOL);
	ask_answer_done(&a);
}

static void escapes(int fd)
{
	static const char *const parts[] = {"a\x1b[2Jb\r\n\tc\x7f\xc2",
	        "\x9b"
	        "31md\xc2\xa9 \xc3\xa4\xc2",
	        "\xa0"
	        "e\n",
	        "\xc2\xc2\x9b\x9b ", "\xc2\x1b", "\x01",
	        "\x9b"
	        "f\n"};
	for (size_t i = 0; i < N_ELEM(parts); i++)
		say(fd, "D", parts[i], strlen(parts[i]) + (i == 2)); /* one with a NUL */
	say(fd, "E", "\0\0\0\1x\x1b]0;y\x07", 11);
}

/* The worker, which strangers speak to, may be somebody else's by now. */
TEST(nothing_gets_at_the_terminal)
{
	struct ask_answer a;
	assert_int_equal(ask_script(escapes, &a), 0);
	assert_string_equal(text_cstr(&a.text), "a[2Jb\n\tc?31md\xc2\xa9 \xc3\xa4\xc2\xa0"
	                                        "e\n\xc2?\x9b ?f\n");
	assert_string_equal(text_cstr(&a.cut), "x]0;y");
	ask_answer_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_short_answer_is_kept_until_its_status_is_known),
	        cmocka_unit_test(a_long_answer_costs_no_memory),
	        cmocka_unit_test(an_answer_without_its_end_is_an_error),
	        cmocka_unit_test(the_gateway_says_why_it_ends_too_early),
	        cmocka_unit_test(what_no_gateway_says),
	        cmocka_unit_test(nothing_gets_at_the_terminal),
	};
	char dir[] = "/tmp/culvert-ask-XXXXXX";
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/control", dir);
	int r = RUN(tests);
	(void)unlink(path);
	return rmdir(dir) < 0 ? 1 : r;
}
