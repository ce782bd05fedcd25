/* The auth process as a child, driven over its sockets as the monitor and two worker threads would. No root.
 * The configuration and the password check are stand-ins from fake_policy.c: what is tested is the process.
 */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth.h"
#include "gateway/login_queue.h"
#include "ipc/chan.h"

static const char config_text[] =
        "ip local pool P4 10.1.0.10-10.1.0.200 mask 255.255.255.0\n"
        "ipv6 local pool P6 fd00:1::100/64 100\n"
        "webvpn\n enable outside\n"
        "group-policy GP internal\n"
        "group-policy GP attributes\n"
        " vpn-tunnel-protocol ssl-client\n"
        " address-pools value P4\n"
        " ipv6-address-pools value P6\n"
        "tunnel-group STAFF type remote-access\n"
        "tunnel-group STAFF general-attributes\n"
        " default-group-policy GP\n"
        "tunnel-group STUDENTS type remote-access\n"
        "tunnel-group CARDS type remote-access\n"
        "tunnel-group CARDS webvpn-attributes\n authentication certificate\n"
        "tunnel-group BOTH type remote-access\n"
        "tunnel-group BOTH webvpn-attributes\n authentication aaa certificate\n"
        "username alice password right\n"
        "username banned password right\n"
        "username guessed password right\n"
        "username never password right\n"
        "username never attributes\n vpn-simultaneous-logins 0\n"
        "username locked password right\n"
        "username locked attributes\n group-lock value STUDENTS\n"
        "username fixed password right\n"
        "username fixed attributes\n vpn-framed-ip-address 10.1.0.77 255.255.255.0\n";

static char dir[64];

static struct gateway {
	pid_t pid;
	struct chan monitor, thread[2];
} g;

static void fd_send(uint8_t kind, uint16_t index, int fd)
{
	struct ipc_msg m = {.type = IPC_FD, .fd = {.kind = kind, .index = index}};
	assert_int_equal(chan_send(&g.monitor, &m, fd), 0);
	close(fd);
}

static void thread_open(uint16_t index)
{
	int fds[2];
	assert_int_equal(chan_pair(fds), 0);
	fd_send(IPC_FD_WORKER, index, fds[1]);
	chan_init(&g.thread[index], fds[0], IPC_WORKER, IPC_AUTH);
}

static void expect(struct chan *c, uint8_t type, struct ipc_msg *ret)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	int fd;
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(chan_recv(c, IPC_RUNNING, 0, ret, &fd), 0);
	assert_string_equal(ipc_type_name(ret->type), ipc_type_name(type));
}

static int config_open(const char *text)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void gateway_start_as(uint32_t uid)
{
	int fds[2];
	struct ipc_msg m = {.type = IPC_START, .start = {.n_threads = 1, .uid = uid, .gid = uid}};
	assert_int_equal(chan_pair(fds), 0);
	g.pid = fork();
	assert_true(g.pid >= 0);
	if (g.pid == 0) {
		close(fds[0]);
		_exit(auth_main(fds[1]));
	}
	close(fds[1]);
	chan_init(&g.monitor, fds[0], IPC_MONITOR, IPC_AUTH);
	fd_send(IPC_FD_CONFIG, 0, config_open(config_text));
	fd_send(IPC_FD_STATE_DIR, 0, open(dir, O_RDONLY | O_DIRECTORY));
	thread_open(0);
	thread_open(1);
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	expect(&g.monitor, IPC_READY, &m);
}

static void gateway_start(void)
{
	gateway_start_as(0);
}

static int gateway_wait(void)
{
	int status;
	assert_int_equal(waitpid(g.pid, &status, 0), g.pid);
	assert_true(WIFEXITED(status));
	chan_done(&g.monitor);
	chan_done(&g.thread[0]);
	chan_done(&g.thread[1]);
	return WEXITSTATUS(status);
}

static void gateway_stop(bool tells_clients)
{
	struct ipc_msg m = {.type = IPC_SHUTDOWN, .shutdown.tells_clients = tells_clients};
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	assert_int_equal(gateway_wait(), 0);
}

static struct ipc_login_result login(const char *group, const char *user, const char *password)
{
	struct ipc_msg m = {.type = IPC_LOGIN, .ref = 17};
	(void)snprintf(m.login.tunnel_group, sizeof(m.login.tunnel_group), "%s", group);
	(void)snprintf(m.login.username, sizeof(m.login.username), "%s", user);
	(void)snprintf(m.login.password, sizeof(m.login.password), "%s", password);
	m.login.peer = addr_from_v4(0xc0000201);
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	expect(&g.thread[0], IPC_LOGIN_RESULT, &m);
	assert_int_equal(m.ref, 17);
	return m.login_result;
}

static struct ipc_session_info session_open(unsigned thread, const uint8_t *token)
{
	struct ipc_msg m = {
	        .type = IPC_SESSION_OPEN, .ref = 18, .session_open = {.wants_ip4 = true, .wants_ip6 = true}};
	m.session_open.peer = addr_from_v4(0xc0000202);
	memcpy(m.session_open.token, token, IPC_TOKEN_BYTES);
	assert_int_equal(chan_send(&g.thread[thread], &m, -1), 0);
	expect(&g.thread[thread], IPC_SESSION_INFO, &m);
	return m.session_info;
}

/* What was sent by this thread before has been taken. */
static struct ipc_stats_info stats_at(unsigned thread)
{
	struct ipc_msg m = {.type = IPC_STATS_QUERY};
	assert_int_equal(chan_send(&g.thread[thread], &m, -1), 0);
	while (chan_wants_write(&g.thread[thread]))
		assert_int_equal(chan_flush(&g.thread[thread]), 0);
	expect(&g.thread[thread], IPC_STATS_INFO, &m);
	return m.stats_info;
}

static struct ipc_stats_info stats(void)
{
	return stats_at(1);
}

TEST(login_and_session)
{
	gateway_start();
	struct ipc_login_result r = login("STAFF", "alice", "right");
	assert_int_equal(r.status, IPC_LOGIN_OK);
	assert_string_equal(r.username, "alice");
	assert_string_equal(r.tunnel_group, "STAFF");
	assert_string_equal(r.group_policy, "GP");
	struct ipc_session_info s = session_open(0, r.token);
	assert_int_equal(s.status, IPC_OPEN_OK);
	assert_int_equal(addr_to_v4(&s.ip4) >> 8, 0x0a0100);
	struct ipc_login_result fixed = login("STAFF", "fixed", "right");
	struct ipc_session_info f = session_open(0, fixed.token);
	assert_int_equal(addr_to_v4(&f.ip4), 0x0a01004d);
	assert_int_equal(f.ip4_len, 24);
	/* resumed on the other thread: the first one is told */
	struct ipc_msg m;
	struct ipc_session_info again = session_open(1, r.token);
	assert_true(again.is_resumed && addr_eq(&s.ip4, &again.ip4));
	expect(&g.thread[0], IPC_SESSION_KICK, &m);
	assert_int_equal(m.session_kick.reason, IPC_KICK_TAKEN_OVER);
	m = (struct ipc_msg){.type = IPC_POOL_QUERY, .pool_query.name = "P4"};
	assert_int_equal(chan_send(&g.thread[1], &m, -1), 0);
	expect(&g.thread[1], IPC_POOL_INFO, &m);
	assert_int_equal(m.pool_info.n_in_use, 2);
	m = (struct ipc_msg){.type = IPC_LOGOFF, .logoff = {.kind = IPC_LOGOFF_NAME, .value = "alice"}};
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	expect(&g.thread[0], IPC_LOGOFF_RESULT, &m);
	assert_int_equal(m.logoff_result.n_sessions, 1);
	expect(&g.thread[1], IPC_SESSION_KICK, &m);
	assert_int_equal(m.session_kick.reason, IPC_KICK_ADMIN);
	m = (struct ipc_msg){.type = IPC_SESSION_QUERY, .session_query = {.after = fixed.index, .n_max = 2}};
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	expect(&g.thread[0], IPC_SESSION_ITEM, &m);
	assert_false(m.session_item.is_found);
	gateway_stop(true);
}

TEST(logins_that_fail)
{
	gateway_start();
	assert_int_equal(login("STAFF", "alice", "wrong").status, IPC_LOGIN_REFUSED);
	assert_int_equal(login("STAFF", "nobody", "right").status, IPC_LOGIN_REFUSED);
	assert_int_equal(login("none", "alice", "right").status, IPC_LOGIN_DISABLED);
	assert_int_equal(login("STAFF", "locked", "right").status, IPC_LOGIN_DISABLED); /* to another group */
	assert_int_equal(login("STAFF", "never", "right").status, IPC_LOGIN_LIMIT);
	struct ipc_login_result r = login("STAFF", "banned", "right");
	assert_int_equal(r.status, IPC_LOGIN_LOCKED);
	assert_int_equal(r.delay_ms, 2500);
	assert_int_equal(stats().n_logins_refused, 6);
	gateway_stop(false);
}

TEST(a_password_never_replaces_a_certificate)
{
	gateway_start();
	assert_int_equal(login("CARDS", "alice", "right").status, IPC_LOGIN_DISABLED);
	assert_int_equal(login("BOTH", "alice", "right").status, IPC_LOGIN_DISABLED);
	assert_int_equal(login("STAFF", "alice", "right").status, IPC_LOGIN_OK);
	gateway_stop(true);
}

TEST(slow_hash_stalls_nobody)
{
	gateway_start();
	struct ipc_login_result r = login("STAFF", "alice", "right");
	struct ipc_msg m = {.type = IPC_LOGIN,
	        .ref = 99,
	        .login = {.tunnel_group = "STAFF", .username = "alice", .password = "slow"}};
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	/* answered although it was asked later: the slow one waits for a byte that we have not sent yet */
	assert_int_equal(session_open(0, r.token).status, IPC_OPEN_OK);
	int fd = open("gate", O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	expect(&g.thread[0], IPC_LOGIN_RESULT, &m);
	assert_int_equal(m.ref, 99);
	gateway_stop(true);
}

static void login_send(unsigned thread, uint32_t ref, uint32_t peer, const char *user, const char *password)
{
	struct ipc_msg m = {.type = IPC_LOGIN, .ref = ref, .login = {.tunnel_group = "STAFF"}};
	(void)snprintf(m.login.username, sizeof(m.login.username), "%s", user);
	(void)snprintf(m.login.password, sizeof(m.login.password), "%s", password);
	m.login.peer = addr_from_v4(peer);
	assert_int_equal(chan_send(&g.thread[thread], &m, -1), 0);
}

/* The next answer to a login at this thread; what is still to be asked goes out meanwhile. */
static uint8_t login_answer(unsigned thread, uint32_t *ret_ref)
{
	struct ipc_msg m;
	struct chan *c = &g.thread[thread];
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	while (chan_wants_write(c) && poll(&p, 1, 1) == 0)
		assert_int_equal(chan_flush(c), 0);
	expect(c, IPC_LOGIN_RESULT, &m);
	*ret_ref = m.ref;
	return m.login_result.status;
}

#define OFFICE 0xc0000207u

/* Everybody behind one address comes at the same time. */
TEST(many_logins_of_one_address_wait)
{
	uint32_t ref;
	gateway_start();
	for (uint32_t i = 0; i < 500; i++)
		login_send(0, i, OFFICE, "alice", "right");
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(login_answer(0, &ref), IPC_LOGIN_OK);
	assert_int_equal(stats().n_logins_ok, 500);
	gateway_stop(true);
}

TEST(guesses_at_the_same_time_gain_little)
{
	uint32_t ref;
	unsigned n_checked = 0;
	gateway_start();
	for (uint32_t i = 0; i < 300; i++)
		login_send(0, i, OFFICE + i % 50, "guessed", "wrong");
	for (uint32_t i = 0; i < 300; i++) {
		uint8_t status = login_answer(0, &ref);
		assert_true(status == IPC_LOGIN_REFUSED || status == IPC_LOGIN_LOCKED);
		n_checked += status == IPC_LOGIN_REFUSED;
	}
	assert_in_range(n_checked, 3, 3 + LOGIN_CHECKS_MAX - 1);
	gateway_stop(true);
}

static void answer_is(unsigned thread, uint32_t want_ref, uint8_t want)
{
	uint32_t ref;
	assert_int_equal(login_answer(thread, &ref), want);
	assert_int_equal(ref, want_ref);
}

/* One address fills its part of the queue behind checks that take long. Another address does not notice. */
TEST(addresses_take_turns)
{
	static const uint32_t n = LOGIN_QUEUE_PER_PEER_MAX;
	uint32_t ref;
	unsigned place = 0;
	gateway_start();
	for (uint32_t i = 0; i < LOGIN_CHECKS_MAX; i++)
		login_send(1, i, OFFICE, "alice", "slow");
	(void)stats(); /* they have begun */
	for (uint32_t i = 0; i < n; i++)
		login_send(i < n / 2, 1000 + i, OFFICE, "alice", "right");
	(void)stats_at(0);
	(void)stats_at(1);
	login_send(1, 5000, OFFICE, "alice", "right");
	answer_is(1, 5000, IPC_LOGIN_ERROR);
	login_send(1, 6000, OFFICE + 1, "alice", "right");
	(void)stats();
	int fd = open("gate", O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "xxxx", LOGIN_CHECKS_MAX), LOGIN_CHECKS_MAX);
	for (ref = 0; ref != 6000; place++)
		(void)login_answer(1, &ref);
	assert_in_range(place, 1, 4 * LOGIN_CHECKS_MAX);
	close(fd);
	while (place < LOGIN_CHECKS_MAX + n / 2 + 1) {
		uint8_t status = login_answer(1, &ref);
		assert_true(ref < LOGIN_CHECKS_MAX ? status == IPC_LOGIN_REFUSED : status == IPC_LOGIN_OK);
		place++;
	}
	for (uint32_t i = 0; i < n / 2; i++)
		assert_int_equal(login_answer(0, &ref), IPC_LOGIN_OK);
	gateway_stop(true);
}

/* The process ends with logins in its queue. */
TEST(nobody_waits_for_the_end)
{
	gateway_start();
	for (uint32_t i = 0; i < LOGIN_CHECKS_MAX; i++)
		login_send(0, i, OFFICE, "alice", "slow");
	for (uint32_t i = 0; i < 50; i++)
		login_send(0, 100 + i, OFFICE + i, "alice", "right");
	(void)stats_at(0);
	int fd = open("gate", O_WRONLY);
	struct ipc_msg m = {.type = IPC_SHUTDOWN};
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	assert_int_equal(write(fd, "xxxx", LOGIN_CHECKS_MAX), LOGIN_CHECKS_MAX);
	assert_int_equal(gateway_wait(), 0);
	close(fd);
}

TEST(worker_and_gateway_may_die)
{
	gateway_start();
	struct ipc_login_result r = login("STAFF", "alice", "right");
	struct ipc_session_info first = session_open(0, r.token);
	chan_done(&g.thread[0]); /* the worker dies, the monitor starts another one */
	thread_open(0);
	struct ipc_session_info again = session_open(0, r.token);
	assert_true(again.is_resumed && addr_eq(&first.ip4, &again.ip4));
	assert_int_equal(again.connection, 2);
	assert_int_equal(kill(g.pid, SIGKILL), 0); /* the auth process itself */
	assert_int_equal(waitpid(g.pid, NULL, 0), g.pid);
	chan_done(&g.monitor);
	chan_done(&g.thread[0]);
	chan_done(&g.thread[1]);
	gateway_start();
	assert_int_equal(stats().n_waiting, 1);
	again = session_open(1, r.token);
	assert_true(again.is_resumed && addr_eq(&first.ip4, &again.ip4));
	assert_int_equal(again.index, first.index);
	gateway_stop(true);
	gateway_start(); /* clients were told: nothing is left */
	assert_int_equal(session_open(0, r.token).status, IPC_OPEN_UNKNOWN);
	gateway_stop(false);
}

TEST(a_worker_that_breaks_the_rules_is_cut_off)
{
	gateway_start();
	struct ipc_login_result r = login("STAFF", "alice", "right");
	struct ipc_msg m = {.type = IPC_RELOAD};
	int fd;
	session_open(0, r.token);
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	struct pollfd p = {.fd = g.thread[0].fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(chan_recv(&g.thread[0], IPC_RUNNING, 0, &m, &fd), ERR_CLOSED);
	assert_int_equal(stats().n_waiting, 1); /* its sessions are kept, the other thread is served */
	fd_send(IPC_FD_CONFIG, 0, config_open(config_text));
	m = (struct ipc_msg){.type = IPC_RELOAD};
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	expect(&g.monitor, IPC_READY, &m);
	chan_done(&g.monitor); /* without a monitor it ends */
	g.monitor.fd = -1;
	assert_int_equal(gateway_wait(), 1);
}

/* It may be somebody else's by now, and would have auth write a line for each answer that finds nobody. */
TEST(a_worker_that_asks_and_does_not_listen_is_cut_off)
{
	gateway_start();
	struct ipc_login_result r = login("STAFF", "alice", "right");
	session_open(0, r.token);
	uint32_t n_waiting = stats().n_waiting;
	assert_int_equal(shutdown(g.thread[0].fd, SHUT_RD), 0);
	struct ipc_msg m = {.type = IPC_SESSION_QUERY, .session_query = {.n_max = IPC_SESSION_ITEMS_MAX}};
	assert_int_equal(chan_send(&g.thread[0], &m, -1), 0);
	struct pollfd p = {.fd = g.thread[0].fd};
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(p.revents & POLLHUP);
	assert_int_equal(stats().n_waiting, n_waiting + 1);
	gateway_stop(false);
}

TEST(works_locked_in)
{
	const uint32_t nobody = 65534;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(dir, nobody, nobody), 0);
	assert_int_equal(unlink("sessions.db"), 0);
	assert_int_equal(unlink("sessions.db-wal"), 0);
	gateway_start_as(nobody);
	struct ipc_login_result r = login("STAFF", "alice", "right");
	struct ipc_session_info s = session_open(0, r.token);
	assert_int_equal(s.status, IPC_OPEN_OK);
	gateway_stop(false);
	gateway_start_as(nobody); /* its file is in the state directory and is found again */
	assert_true(session_open(0, r.token).is_resumed);
	struct stat st;
	assert_int_equal(stat("sessions.db", &st), 0);
	assert_int_equal(st.st_uid, nobody);
	gateway_stop(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(login_and_session),
	        cmocka_unit_test(logins_that_fail),
	        cmocka_unit_test(a_password_never_replaces_a_certificate),
	        cmocka_unit_test(slow_hash_stalls_nobody),
	        cmocka_unit_test(many_logins_of_one_address_wait),
	        cmocka_unit_test(guesses_at_the_same_time_gain_little),
	        cmocka_unit_test(addresses_take_turns),
	        cmocka_unit_test(nobody_waits_for_the_end),
	        cmocka_unit_test(worker_and_gateway_may_die),
	        cmocka_unit_test(a_worker_that_breaks_the_rules_is_cut_off),
	        cmocka_unit_test(a_worker_that_asks_and_does_not_listen_is_cut_off),
	        cmocka_unit_test(works_locked_in),
	};
	strcpy(dir, "/tmp/culvert-auth-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) < 0 || mkfifo("gate", 0600) < 0)
		return 1;
	int r = RUN(tests);
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) != 0 ? 1 : r;
}
