#include "../unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "ipc/chan.h"

static struct ipc_msg sample(uint8_t type)
{
	struct ipc_msg m = {.type = type, .ref = 77};
	return m;
}

static struct ipc_msg login_sample(void)
{
	struct ipc_msg m = sample(IPC_LOGIN);
	strcpy(m.login.tunnel_group, "STAFF");
	strcpy(m.login.username, "alice");
	strcpy(m.login.password, "s3cret");
	m.login.peer = addr_from_v4(0xc0000201);
	m.login.peer_port = 50123;
	strcpy(m.login.user_agent, "AnyConnect Linux_64 4.10");
	return m;
}

static int round_trip(const struct ipc_msg *in, struct ipc_msg *out)
{
	uint8_t buf[IPC_MSG_MAX_BYTES];
	struct wr w = wr_open(buf, sizeof(buf));
	int r = ipc_format(in, &w);
	return r < 0 ? r : ipc_parse(wr_span(&w), out);
}

TEST(every_type_round_trips)
{
	for (uint8_t type = IPC_FD; type < IPC_N_TYPES; type++) {
		struct ipc_msg in = sample(type), out;
		assert_int_equal(round_trip(&in, &out), 0);
		assert_memory_equal(&in, &out, sizeof(in));
		assert_string_not_equal(ipc_type_name(type), "?");
	}
	assert_string_equal(ipc_type_name(IPC_N_TYPES), "?");
}

TEST(fields_survive)
{
	struct ipc_msg in = login_sample(), out;
	assert_int_equal(round_trip(&in, &out), 0);
	assert_string_equal(out.login.password, "s3cret");
	assert_int_equal(out.login.peer_port, 50123);
	assert_true(addr_eq(&in.login.peer, &out.login.peer));
	assert_int_equal(out.ref, 77);
}

TEST(log_message_survives_and_is_cut)
{
	struct ipc_msg in = sample(IPC_LOG), out;
	char big[2 * IPC_LOG_TEXT_MAX];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	in.log.severity = 7;
	in.log.is_asa = true;
	in.log.id = 722022;
	in.log.at_us = UINT64_C(1) << 40;
	ipc_cut_str(in.log.text, sizeof(in.log.text), big);
	assert_int_equal(strlen(in.log.text), IPC_LOG_TEXT_MAX);
	assert_int_equal(round_trip(&in, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	in.log.severity = 8;
	assert_int_equal(round_trip(&in, &out), ERR_MALFORMED);
}

TEST(log_goes_to_the_monitor_only)
{
	struct ipc_gate monitor = {.self = IPC_MONITOR, .peer = IPC_WORKER};
	struct ipc_gate auth = {.self = IPC_AUTH, .peer = IPC_WORKER};
	struct ipc_gate of_auth = {.self = IPC_MONITOR, .peer = IPC_AUTH};
	assert_int_equal(ipc_check(&monitor, IPC_RUNNING, IPC_LOG, false, 5), 0);
	assert_int_equal(ipc_check(&of_auth, IPC_STOPPING, IPC_LOG, false, 5), 0);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, IPC_LOG, false, 5), -EPERM);
	assert_int_equal(ipc_check(&monitor, IPC_RUNNING, IPC_LOG_CLEAR, false, 5), 0);
	assert_int_equal(ipc_check(&of_auth, IPC_RUNNING, IPC_LOG_CLEAR, false, 5), -EPERM);
	assert_int_equal(ipc_check(&monitor, IPC_RUNNING, IPC_LOG_INFO, false, 5), -EPERM);
	assert_true(ipc_is_for(IPC_LOG_QUERY, IPC_MONITOR));
	assert_false(ipc_is_for(IPC_STATS_QUERY, IPC_MONITOR));
	assert_false(ipc_is_for(IPC_N_TYPES, IPC_MONITOR));
	int n = 1;
	while (ipc_check(&monitor, IPC_RUNNING, IPC_LOG, false, 5) == 0)
		n++;
	assert_int_equal(n, 20000);
}

TEST(largest_pool_info_fits)
{
	struct ipc_msg in = sample(IPC_POOL_INFO), out;
	in.pool_info.n_addrs = IPC_POOL_ADDRS_MAX;
	for (size_t i = 0; i < IPC_POOL_ADDRS_MAX; i++)
		in.pool_info.addrs[i].family = 6;
	assert_int_equal(round_trip(&in, &out), 0);
	in.pool_info.n_addrs++;
	assert_int_equal(round_trip(&in, &out), ERR_MALFORMED);
}

TEST(every_truncation_and_a_trailing_byte_are_refused)
{
	uint8_t buf[IPC_MSG_MAX_BYTES] = {0};
	struct wr w = wr_open(buf, sizeof(buf));
	struct ipc_msg in = login_sample(), out;
	assert_int_equal(ipc_format(&in, &w), 0);
	for (size_t n = 0; n < w.n; n++)
		assert_int_equal(ipc_parse(span_of(buf, n), &out), ERR_MALFORMED);
	assert_int_equal(ipc_parse(span_of(buf, w.n + 1), &out), ERR_MALFORMED);
}

TEST(values_outside_their_range_are_refused)
{
	struct ipc_msg out;
	static const uint8_t bad_kind[] = {IPC_FD, 0, 0, 0, 0, IPC_FD_N_KINDS, 0, 0};
	static const uint8_t bad_bool[] = {IPC_SHUTDOWN, 0, 0, 0, 0, 2};
	static const uint8_t nul_inside[] = {IPC_POOL_QUERY, 0, 0, 0, 0, 0, 2, 'a', 0};
	static const uint8_t bad_type[] = {IPC_N_TYPES, 0, 0, 0, 0};
	assert_int_equal(ipc_parse(span_of(bad_kind, sizeof(bad_kind)), &out), ERR_MALFORMED);
	assert_int_equal(ipc_parse(span_of(bad_bool, sizeof(bad_bool)), &out), ERR_MALFORMED);
	assert_int_equal(ipc_parse(span_of(nul_inside, sizeof(nul_inside)), &out), ERR_MALFORMED);
	assert_int_equal(ipc_parse(span_of(bad_type, sizeof(bad_type)), &out), ERR_MALFORMED);
	uint8_t long_name[8 + IPC_NAME_MAX] = {IPC_POOL_QUERY, 0, 0, 0, 0, 0, IPC_NAME_MAX + 1};
	memset(long_name + 7, 'x', IPC_NAME_MAX + 1);
	assert_int_equal(ipc_parse(span_of(long_name, sizeof(long_name)), &out), ERR_MALFORMED);
}

TEST(table_says_who_and_when)
{
	struct ipc_gate auth = {.self = IPC_AUTH, .peer = IPC_WORKER};
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, IPC_LOGIN, false, 5), 0);
	assert_int_equal(ipc_check(&auth, IPC_SETUP, IPC_LOGIN, false, 5), -EPERM);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, IPC_LOGIN, true, 5), -EPERM);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, IPC_SHUTDOWN, false, 5), -EPERM);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, IPC_LOGIN_RESULT, false, 5), -EPERM);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, 0, false, 5), -EPERM);
	assert_int_equal(ipc_check(&auth, IPC_RUNNING, 255, false, 5), -EPERM);
	struct ipc_gate child = {.self = IPC_AUTH, .peer = IPC_MONITOR};
	assert_int_equal(ipc_check(&child, IPC_SETUP, IPC_FD, true, 5), 0);
	assert_int_equal(ipc_check(&child, IPC_SETUP, IPC_FD, false, 5), -EPERM);
	struct ipc_gate monitor = {.self = IPC_MONITOR, .peer = IPC_AUTH};
	assert_int_equal(ipc_check(&monitor, IPC_RUNNING, IPC_RELOAD_REQUEST, false, 5), -EPERM);
}

TEST(rates_are_per_second)
{
	struct ipc_gate g = {.self = IPC_MONITOR, .peer = IPC_WORKER};
	for (int i = 0; i < 5; i++)
		assert_int_equal(ipc_check(&g, IPC_RUNNING, IPC_RELOAD_REQUEST, false, 5000), 0);
	assert_int_equal(ipc_check(&g, IPC_RUNNING, IPC_RELOAD_REQUEST, false, 5999), ERR_LIMIT);
	assert_int_equal(ipc_check(&g, IPC_RUNNING, IPC_RELOAD_REQUEST, false, 6000), 0);
}

TEST(channel_keeps_the_last_words_of_a_peer_that_did_not_listen)
{
	int fds[2], fd;
	assert_int_equal(chan_pair(fds), 0);
	struct chan monitor, worker;
	chan_init(&monitor, fds[0], IPC_MONITOR, IPC_WORKER);
	chan_init(&worker, fds[1], IPC_WORKER, IPC_MONITOR);
	struct ipc_msg in = sample(IPC_SHUTDOWN), out;
	assert_int_equal(chan_send(&monitor, &in, -1), 0); /* never read: the kernel says ECONNRESET */
	in = sample(IPC_LOG);
	assert_int_equal(chan_send(&worker, &in, -1), 0);
	chan_done(&worker);
	assert_int_equal(chan_recv(&monitor, IPC_STOPPING, 0, &out, &fd), 0);
	assert_int_equal(out.type, IPC_LOG);
	assert_int_equal(chan_recv(&monitor, IPC_STOPPING, 0, &out, &fd), ERR_CLOSED);
	chan_done(&monitor);
}

TEST(channel_passes_messages_and_descriptors)
{
	int fds[2], got, pipe_fds[2];
	assert_int_equal(chan_pair(fds), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	struct chan monitor, auth;
	chan_init(&monitor, fds[0], IPC_MONITOR, IPC_AUTH);
	chan_init(&auth, fds[1], IPC_AUTH, IPC_MONITOR);
	struct ipc_msg in = sample(IPC_FD), out;
	assert_int_equal(chan_recv(&auth, IPC_SETUP, 0, &out, &got), -EAGAIN);
	in.fd.kind = IPC_FD_CONFIG;
	assert_int_equal(chan_send(&monitor, &in, pipe_fds[1]), 0);
	assert_int_equal(chan_recv(&auth, IPC_SETUP, 0, &out, &got), 0);
	assert_true(got >= 0);
	assert_int_equal(write(got, "x", 1), 1);
	char c;
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	close(got);
	in = sample(IPC_SHUTDOWN); /* a descriptor beside a message that may have none */
	assert_int_equal(chan_send(&monitor, &in, pipe_fds[1]), 0);
	assert_int_equal(chan_recv(&auth, IPC_SETUP, 0, &out, &got), -EPERM);
	assert_int_equal(got, -1);
	assert_int_equal(send(fds[0], "\xff", 1, 0), 1);
	assert_int_equal(chan_recv(&auth, IPC_SETUP, 0, &out, &got), ERR_MALFORMED);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	chan_done(&monitor);
	assert_int_equal(chan_recv(&auth, IPC_SETUP, 0, &out, &got), ERR_CLOSED);
	in = sample(IPC_READY);
	assert_int_equal(chan_send(&auth, &in, -1), ERR_CLOSED);
	chan_done(&auth);
}

TEST(channel_queues_for_a_slow_peer_in_order)
{
	int fds[2], got;
	assert_int_equal(chan_pair(fds), 0);
	struct chan worker, auth;
	chan_init(&worker, fds[0], IPC_WORKER, IPC_AUTH);
	chan_init(&auth, fds[1], IPC_AUTH, IPC_WORKER);
	struct ipc_msg in = sample(IPC_SESSION_LOST), out;
	uint32_t n = 0, seen = 0;
	while (worker.n_waiting < 10) {
		in.session_lost.index = n++;
		assert_int_equal(chan_send(&worker, &in, -1), 0);
	}
	assert_true(chan_wants_write(&worker));
	while (seen < n) {
		int r = chan_recv(&auth, IPC_RUNNING, 0, &out, &got);
		if (r == -EAGAIN) {
			assert_int_equal(chan_flush(&worker), 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(out.session_lost.index, seen++);
	}
	assert_false(chan_wants_write(&worker));
	assert_int_equal(worker.waiting_bytes, 0);
	chan_done(&worker);
	chan_done(&auth);
}

/* A worker that somebody has taken over may ask without end and read nothing. */
TEST(channel_ends_with_a_peer_that_does_not_read)
{
	int fds[2], got, r = 0;
	size_t n = 0;
	assert_int_equal(chan_pair(fds), 0);
	struct chan monitor, worker;
	chan_init(&monitor, fds[0], IPC_MONITOR, IPC_WORKER);
	chan_init(&worker, fds[1], IPC_WORKER, IPC_MONITOR);
	struct ipc_msg in = sample(IPC_LOG), out;
	assert_int_equal(chan_send(&worker, &in, -1), 0);
	in = sample(IPC_LOG_ITEM);
	memset(in.log_item.text, 'x', sizeof(in.log_item.text) - 1);
	while (r == 0 && n * sizeof(in.log_item.text) < 2 * CHAN_QUEUE_BYTES) {
		r = chan_send(&monitor, &in, -1);
		n++;
	}
	assert_int_equal(r, ERR_LIMIT);
	assert_true(n * sizeof(in.log_item.text) > CHAN_QUEUE_BYTES / 2);
	assert_false(chan_wants_write(&monitor));
	assert_int_equal(chan_recv(&monitor, IPC_RUNNING, 0, &out, &got), 0);
	assert_int_equal(chan_recv(&monitor, IPC_RUNNING, 0, &out, &got), ERR_CLOSED);
	assert_int_equal(chan_send(&monitor, &in, -1), ERR_CLOSED);
	while ((r = chan_recv(&worker, IPC_RUNNING, 0, &out, &got)) == 0)
		;
	assert_int_equal(r, ERR_CLOSED);
	chan_done(&monitor);
	chan_done(&worker);
}

/* Whoever shuts its ear lets nothing be sent, and must not have us try for ever; its words still count. */
TEST(channel_gives_up_what_nobody_will_read)
{
	int fds[2], got;
	assert_int_equal(chan_pair(fds), 0);
	struct chan monitor, worker;
	chan_init(&monitor, fds[0], IPC_MONITOR, IPC_WORKER);
	chan_init(&worker, fds[1], IPC_WORKER, IPC_MONITOR);
	struct ipc_msg in = sample(IPC_LOG_INFO), out;
	for (int i = 0; i < 100000 && !chan_wants_write(&monitor); i++)
		assert_int_equal(chan_send(&monitor, &in, -1), 0);
	assert_true(chan_wants_write(&monitor));
	in = sample(IPC_LOG);
	assert_int_equal(chan_send(&worker, &in, -1), 0);
	assert_int_equal(shutdown(fds[1], SHUT_RD), 0);
	assert_int_equal(chan_flush(&monitor), ERR_CLOSED);
	assert_false(chan_wants_write(&monitor));
	assert_int_equal(chan_recv(&monitor, IPC_RUNNING, 0, &out, &got), 0);
	assert_int_equal(out.type, IPC_LOG);
	chan_done(&monitor);
	chan_done(&worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_type_round_trips),
	        cmocka_unit_test(fields_survive),
	        cmocka_unit_test(log_message_survives_and_is_cut),
	        cmocka_unit_test(log_goes_to_the_monitor_only),
	        cmocka_unit_test(largest_pool_info_fits),
	        cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
	        cmocka_unit_test(values_outside_their_range_are_refused),
	        cmocka_unit_test(table_says_who_and_when),
	        cmocka_unit_test(rates_are_per_second),
	        cmocka_unit_test(channel_keeps_the_last_words_of_a_peer_that_did_not_listen),
	        cmocka_unit_test(channel_passes_messages_and_descriptors),
	        cmocka_unit_test(channel_queues_for_a_slow_peer_in_order),
	        cmocka_unit_test(channel_ends_with_a_peer_that_does_not_read),
	        cmocka_unit_test(channel_gives_up_what_nobody_will_read),
	};
	return RUN(tests);
}
