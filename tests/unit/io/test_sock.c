#include "../unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/sock.h"

static struct ip_addr ip(const char *s)
{
	struct ip_addr a;
	assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

TEST(dial_skips_what_refuses)
{
	struct sock_listen l = {0};
	struct ip_addr addr;
	struct sock_tcp_facts facts;
	uint16_t port, peer_port, dead_port;
	int listen_fd, dead_fd, fd;
	size_t which = 9;
	assert_int_equal(sock_listen_tcp(&l, &listen_fd), 0);
	assert_int_equal(sock_local(listen_fd, &addr, &port), 0);
	assert_int_equal(sock_accept(listen_fd, &addr, &peer_port), -EAGAIN);
	l.addr = ip("127.0.0.1");
	assert_int_equal(sock_listen_tcp(&l, &dead_fd), 0);
	assert_int_equal(sock_local(dead_fd, &addr, &dead_port), 0);
	close(dead_fd);
	struct sock_target t[] = {{ip("127.0.0.1"), dead_port}, {ip("127.0.0.1"), port}};
	assert_int_equal(sock_dial_wait(t, 2, 5000, &fd, &which), 0);
	assert_int_equal(which, 1);
	int served = sock_accept(listen_fd, &addr, &peer_port);
	assert_true(served >= 0);
	assert_int_equal(addr.family, 4); /* not IPv4-mapped */
	assert_int_equal(sock_tune(served, 60, 10), 0);
	assert_int_equal(sock_tcp_facts(served, &facts), 0);
	assert_true(facts.pmtu_bytes >= 1280 && facts.snd_mss_bytes > 500);
	close(served);
	close(fd);
	assert_int_equal(sock_dial_wait(t, 1, 5000, &fd, &which), -ECONNREFUSED);
	assert_int_equal(sock_dial_wait(t, 0, 5000, &fd, &which), -ENOENT);
	close(listen_fd);
}

TEST(dial_tries_the_next_while_the_first_hangs)
{
	/* A full queue of a listener leaves further connects hanging: no packet leaves this machine. */
	struct sock_listen l = {.addr = ip("127.0.0.1"), .backlog = 1};
	struct sock_dial d, fill[8];
	struct sock_target t[2];
	int listen_fd, good_fd, fd = -1, fill_fd[8];
	size_t which;
	struct ip_addr addr;
	assert_int_equal(sock_listen_tcp(&l, &listen_fd), 0);
	assert_int_equal(sock_local(listen_fd, &addr, &t[0].port), 0);
	l.backlog = 0;
	assert_int_equal(sock_listen_tcp(&l, &good_fd), 0);
	assert_int_equal(sock_local(good_fd, &addr, &t[1].port), 0);
	t[0].addr = t[1].addr = l.addr;
	for (size_t i = 0; i < 8; i++) {
		fill_fd[i] = -1;
		sock_dial_init(&fill[i], t, 1);
		int r = sock_dial_step(&fill[i], 0, &fill_fd[i], &which);
		assert_int_equal(r, ERR_MORE);
	}
	sock_dial_init(&d, t, 2);
	assert_int_equal(sock_dial_step(&d, 100, &fd, &which), ERR_MORE);
	assert_int_equal(d.next_at_ms, 100 + SOCK_DIAL_NEXT_MS);
	assert_int_equal(sock_dial_step(&d, 99 + SOCK_DIAL_NEXT_MS, &fd, &which), ERR_MORE);
	assert_int_equal(d.n_tried, 1);
	assert_int_equal(sock_dial_step(&d, 100 + SOCK_DIAL_NEXT_MS, &fd, &which), ERR_MORE);
	assert_int_equal(d.next_at_ms, MS_NEVER);
	assert_int_equal(sock_dial_step(&d, 101 + SOCK_DIAL_NEXT_MS, &fd, &which), 0);
	assert_int_equal(which, 1);
	close(fd);
	for (size_t i = 0; i < 8; i++)
		sock_dial_done(&fill[i]);
	close(listen_fd);
	close(good_fd);
}

TEST(listen_errors_have_words)
{
	struct sock_listen l = {.addr = ip("::1")};
	struct ip_addr addr;
	int a, b;
	assert_int_equal(sock_listen_tcp(&l, &a), 0);
	assert_int_equal(sock_local(a, &addr, &l.port), 0);
	assert_int_equal(sock_listen_tcp(&l, &b), -EADDRINUSE);
	assert_non_null(strstr(sock_listen_hint(-EADDRINUSE), "in use"));
	l.addr = ip("127.0.0.1"); /* V6ONLY: the same port of the other family is free */
	assert_int_equal(sock_listen_tcp(&l, &b), 0);
	close(a);
	close(b);
	l = (struct sock_listen){.addr = ip("127.0.0.1"), .has_reuseport = true};
	assert_int_equal(sock_listen_tcp(&l, &a), 0);
	assert_int_equal(sock_local(a, &addr, &l.port), 0);
	assert_int_equal(sock_listen_tcp(&l, &b), 0);
	close(a);
	close(b);
}

TEST(literals_resolve_without_asking)
{
	struct sock_target t[SOCK_DIAL_MAX];
	size_t n;
	assert_int_equal(sock_resolve("2001:db8::1", 443, t, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(t[0].addr.family, 6);
	assert_int_equal(t[0].port, 443);
}

TEST(unix_socket_has_its_mode_and_replaces_a_dead_one)
{
	char dir[] = "/tmp/culvert-sock-XXXXXX", path[64];
	struct stat st;
	struct ip_addr none;
	uint16_t port;
	uid_t uid;
	gid_t gid;
	pid_t pid;
	int a, b, c;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(sock_listen_unix(path, 0660, (uid_t)-1, (gid_t)-1, &a), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(sock_listen_unix(path, 0660, (uid_t)-1, (gid_t)-1, &b), -EADDRINUSE);
	assert_int_equal(sock_connect_unix(path, &c), 0);
	int served = -EAGAIN;
	while (served == -EAGAIN) /* the probe above is in the queue, too */
		served = sock_accept(a, &none, &port);
	close(served);
	served = sock_accept(a, &none, &port);
	assert_true(served >= 0);
	assert_int_equal(sock_peer_cred(served, &uid, &gid, &pid), 0);
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	close(served);
	close(c);
	close(a); /* as after a crash: the name stays */
	assert_int_equal(sock_listen_unix(path, 0600, getuid(), getgid(), &a), 0);
	close(a);
	unlink(path);
	close(creat(path, 0600));
	assert_int_equal(sock_listen_unix(path, 0600, (uid_t)-1, (gid_t)-1, &a), -EEXIST);
	unlink(path);
	rmdir(dir);
}

static unsigned fired;

static void on_timer(struct loop_timer *t, ms_t now_ms)
{
	fired++;
	assert_true(now_ms > 0);
	assert_int_equal(t->due_at_ms, MS_NEVER);
	loop_timer_close(t, NULL);
}

static void on_readable(struct loop_fd *f, int err, int events)
{
	char c;
	assert_int_equal(err, 0);
	assert_true(events & UV_READABLE);
	assert_int_equal(read(*(int *)f->ctx, &c, 1), 1);
	fired++;
	loop_fd_close(f, NULL);
}

TEST(loop_delivers)
{
	uv_loop_t loop;
	struct loop_timer t, never;
	struct loop_fd f;
	int pipe_fds[2];
	fired = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(loop_timer_open(&t, &loop, on_timer, NULL), 0);
	assert_int_equal(loop_timer_open(&never, &loop, on_timer, NULL), 0);
	assert_int_equal(loop_fd_open(&f, &loop, pipe_fds[0], on_readable, &pipe_fds[0]), 0);
	assert_int_equal(loop_fd_watch(&f, UV_READABLE), 0);
	assert_int_equal(loop_fd_watch(&f, UV_READABLE), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	loop_timer_set(&never, loop_now() + 3600000);
	loop_timer_set(&never, MS_NEVER);
	loop_timer_set(&t, loop_now());
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(fired, 2);
	loop_timer_close(&never, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(dial_skips_what_refuses),
	        cmocka_unit_test(dial_tries_the_next_while_the_first_hangs),
	        cmocka_unit_test(listen_errors_have_words),
	        cmocka_unit_test(literals_resolve_without_asking),
	        cmocka_unit_test(unix_socket_has_its_mode_and_replaces_a_dead_one),
	        cmocka_unit_test(loop_delivers),
	};
	return RUN(tests);
}
