/* Buffer, frames, log hosts: ring and frame by themselves, senders against sockets on the loopback. */
#include "../unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log_frame.h"
#include "gateway/monitor_log.h"
#include "io/log.h"
#include "policy/config.h"

#define TURNS_MAX 5000 /* of the loop, a millisecond each at most, until something must have happened */

static struct log_item item_of(const char *text)
{
	return (struct log_item){
	        .at_s = 1795683600, .id = 722036, .severity = 6, .is_asa = true, .text = text};
}

/* ---- frame ---- */

TEST(frame_as_the_asa_sends_it)
{
	char buf[LOG_FRAME_MAX + 1];
	const struct log_item i = item_of("Group <g> text");
	struct log_frame f = {.facility = 20, .device_id = ""};
	assert_int_equal(log_frame_make(&i, &f, buf), strlen("<166>%ASA-6-722036: Group <g> text"));
	assert_string_equal(buf, "<166>%ASA-6-722036: Group <g> text");
	f.has_timestamp = true;
	log_frame_make(&i, &f, buf);
	assert_string_equal(buf, "<166>Nov 26 2026 09:00:00: %ASA-6-722036: Group <g> text");
	f.device_id = "gw1";
	log_frame_make(&i, &f, buf);
	assert_string_equal(buf, "<166>Nov 26 2026 09:00:00 gw1 : %ASA-6-722036: Group <g> text");
	f = (struct log_frame){.facility = 16, .device_id = "gw1", .is_stream = true};
	size_t n = log_frame_make(&i, &f, buf);
	assert_string_equal(buf, "<134>gw1 : %ASA-6-722036: Group <g> text\n");
	assert_int_equal(n, strlen(buf));
}

TEST(lines_of_ours_have_an_id_too)
{
	char buf[LOG_FRAME_MAX + 1];
	struct log_item i = item_of("ready");
	i.is_asa = false;
	i.id = 0;
	i.severity = 5;
	log_frame_line(&i, false, buf, sizeof(buf));
	assert_string_equal(buf, "%CULVERT-5-100000: ready");
}

TEST(frame_is_bounded)
{
	char buf[LOG_FRAME_MAX + 1], big[4 * LOG_FRAME_MAX], device[300];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memset(device, 'd', sizeof(device) - 1);
	device[sizeof(device) - 1] = '\0';
	const struct log_item i = item_of(big);
	const struct log_frame f = {
	        .facility = 23, .has_timestamp = true, .device_id = device, .is_stream = true};
	size_t n = log_frame_make(&i, &f, buf);
	assert_int_equal(n, LOG_FRAME_MAX);
	assert_int_equal(buf[n - 1], '\n');
	assert_int_equal(buf[n], '\0');
}

/* ---- ring ---- */

static void ring_put(struct log_ring *r, unsigned i)
{
	char text[32];
	snprintf(text, sizeof(text), "message %u", i);
	const struct log_item item = item_of(text);
	log_ring_put(r, &item);
}

/* The numbers kept, and that each has its text. */
static size_t ring_walk(const struct log_ring *r, uint64_t *ret_first)
{
	struct log_item i;
	char text[32];
	size_t n = 0;
	for (uint64_t after = 0; log_ring_after(r, after, &i); after = i.number, n++) {
		if (n == 0)
			*ret_first = i.number;
		assert_int_equal(i.number, *ret_first + n);
		snprintf(text, sizeof(text), "message %u", (unsigned)i.number);
		assert_string_equal(i.text, text);
	}
	return n;
}

TEST(ring_keeps_the_newest)
{
	struct log_ring r = {0};
	struct log_item i;
	uint64_t first = 0;
	assert_false(log_ring_after(&r, 0, &i));
	ring_put(&r, 1); /* no memory yet: nothing happens */
	assert_int_equal(log_ring_resize(&r, 4096), 0);
	for (unsigned k = 1; k <= 1000; k++)
		ring_put(&r, k);
	size_t n = ring_walk(&r, &first);
	assert_int_equal(first + n, 1001);
	assert_in_range(r.n_bytes, 4096 - 80, 4096);
	assert_true(log_ring_after(&r, 999, &i) && i.number == 1000);
	assert_false(log_ring_after(&r, 1000, &i));
	assert_false(log_ring_after(&r, UINT64_MAX, &i));
	log_ring_done(&r);
}

TEST(ring_is_resized_and_cleared)
{
	struct log_ring r = {0};
	struct log_item i;
	uint64_t first = 0;
	assert_int_equal(log_ring_resize(&r, 8192), 0);
	for (unsigned k = 1; k <= 100; k++)
		ring_put(&r, k);
	assert_int_equal(ring_walk(&r, &first), 100);
	assert_int_equal(log_ring_resize(&r, 4096), 0);
	size_t n = ring_walk(&r, &first);
	assert_in_range(n, 50, 60);
	assert_int_equal(first + n, 101);
	assert_int_equal(log_ring_resize(&r, 65536), 0);
	ring_put(&r, 101);
	assert_int_equal(ring_walk(&r, &first), n + 1);
	log_ring_clear(&r);
	assert_int_equal(r.n_bytes, 0);
	assert_false(log_ring_after(&r, 0, &i));
	ring_put(&r, 102);
	assert_int_equal(ring_walk(&r, &first), 1);
	assert_int_equal(first, 102);
	log_ring_done(&r);
}

TEST(ring_takes_empty_texts_and_refuses_giants)
{
	struct log_ring r = {0};
	struct log_item i;
	char *big = malloc(5000);
	memset(big, 'x', 4999);
	big[4999] = '\0';
	assert_int_equal(log_ring_resize(&r, 4096), 0);
	for (int k = 0; k < 1000; k++) { /* as many slots as such messages fit */
		const struct log_item empty = item_of("");
		log_ring_put(&r, &empty);
	}
	const struct log_item giant = item_of(big);
	log_ring_put(&r, &giant);
	assert_true(log_ring_after(&r, 999, &i));
	assert_string_equal(i.text, "");
	assert_int_equal(r.n_bytes, 4096);
	log_ring_done(&r);
	free(big);
}

/* ---- hosts ---- */

static uv_loop_t loop;
static struct monitor_log center;

static int server(int type, uint16_t *port)
{
	struct sockaddr_in in = {
	        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	const int on = 1;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static struct config *config_of(const char *hosts, uint16_t port, const char *also)
{
	struct text t = {0};
	struct config *c = NULL;
	text_fmt(&t,
	        "logging enable\nlogging trap debugging\nlogging buffered debugging\n"
	        "logging host inside 127.0.0.1 %s/%u\n%s",
	        hosts, port, also);
	assert_int_equal(config_parse(span_of(t.p, t.n), "t", (struct diag_sink){0}, &c), 0);
	text_done(&t);
	return c;
}

/* One turn that waits for at most a millisecond. */
static void wake(uv_timer_t *t)
{
	(void)t;
}

static void turn(void)
{
	static uv_timer_t tick;
	uv_timer_init(&loop, &tick);
	/* repeated: on a busy machine it may be due before the loop has waited at all */
	uv_timer_start(&tick, wake, 1, 1);
	uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void open_center(const struct config *c)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	memset(&center, 0, sizeof(center));
	assert_int_equal(monitor_log_open(&center, &loop), 0);
	monitor_log_apply(&center, c);
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void close_center(void)
{
	monitor_log_close(&center);
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void say(const char *text, uint64_t at_us)
{
	struct ipc_log in = {.severity = 6, .is_asa = true, .id = 722036, .at_us = at_us};
	ipc_cut_str(in.text, sizeof(in.text), text);
	monitor_log_take(&center, &in, false);
}

/* Reads until want came; fails when it does not. */
static void expect(int fd, const char *want)
{
	char got[4096] = "";
	size_t n = 0;
	for (int i = 0; i < TURNS_MAX && n < strlen(want); i++) {
		turn();
		ssize_t k = recv(fd, got + n, sizeof(got) - 1 - n, MSG_DONTWAIT);
		n += k > 0 ? (size_t)k : 0;
		got[n] = '\0';
	}
	assert_string_equal(got, want);
}

static int accept_one(int fd)
{
	int conn = -1;
	for (int i = 0; i < TURNS_MAX && conn < 0; i++) {
		turn();
		conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	}
	assert_true(conn >= 0);
	return conn;
}

static struct ipc_log_host_info host_info(void)
{
	const struct ipc_msg q = {.type = IPC_LOG_HOST_QUERY, .ref = 5};
	struct ipc_msg m;
	monitor_log_answer(&center, &q, &m);
	assert_int_equal(m.type, IPC_LOG_HOST_INFO);
	assert_int_equal(m.ref, 5);
	return m.log_host_info;
}

TEST(datagrams_arrive_in_the_order_of_their_origin)
{
	uint16_t port = 0;
	int fd = server(SOCK_DGRAM, &port);
	struct config *c = config_of("udp", port, "");
	open_center(c);
	say("second", 20);
	say("third", 30);
	say("first", 10);
	expect(fd, "<166>%ASA-6-722036: first");
	expect(fd, "<166>%ASA-6-722036: second");
	expect(fd, "<166>%ASA-6-722036: third");
	assert_int_equal(host_info().n_sent, 3);
	log_msg(4, "ASA", 113019, "of the process itself");
	expect(fd, "<164>%ASA-4-113019: of the process itself");
	close_center();
	config_put(c);
	close(fd);
}

TEST(a_time_in_the_future_does_not_wait)
{
	uint16_t port = 0;
	int fd = server(SOCK_DGRAM, &port);
	struct config *c = config_of("udp", port, "");
	open_center(c);
	say("x", UINT64_MAX);
	expect(fd, "<166>%ASA-6-722036: x");
	close_center();
	config_put(c);
	close(fd);
}

TEST(stream_is_framed_and_comes_back)
{
	uint16_t port = 0;
	int fd = server(SOCK_STREAM, &port);
	struct config *c = config_of("tcp", port, "");
	open_center(c);
	say("one", 1);
	say("two", 2);
	int conn = accept_one(fd);
	expect(conn, "<166>%ASA-6-722036: one\n<166>%ASA-6-722036: two\n");
	assert_true(host_info().is_up);
	close(conn);
	for (int i = 0; i < TURNS_MAX && host_info().is_up; i++)
		turn();
	assert_false(host_info().is_up);
	say("three", 3);
	conn = accept_one(fd); /* after the first pause */
	char want[512];
	/* "three" says that it was said first */
	snprintf(want, sizeof(want),
	        "<166>%%ASA-6-722036: three\n"
	        "<163>%%ASA-3-414003: TCP Syslog Server inside:127.0.0.1/%u not responding. New connections "
	        "are "
	        "permitted based on logging permit-hostdown policy.\n"
	        "<166>%%ASA-6-414004: TCP Syslog Server inside:127.0.0.1/%u - Connection restored\n",
	        port, port);
	expect(conn, want);
	for (int i = 0; i < TURNS_MAX && host_info().n_waiting > 0; i++)
		turn();
	assert_true(host_info().is_up);
	assert_int_equal(host_info().n_dropped, 0);
	close(conn);
	close_center();
	config_put(c);
	close(fd);
}

TEST(queue_is_bounded)
{
	uint16_t port = 0;
	int fd = server(SOCK_STREAM, &port);
	close(fd); /* nobody listens there any more */
	struct config *c = config_of("tcp", port, "logging queue 7\n");
	open_center(c);
	for (unsigned i = 0; i < 100; i++)
		say("x", i);
	const struct ipc_msg q = {.type = IPC_LOG_QUERY};
	struct ipc_msg m;
	monitor_log_answer(&center, &q, &m);
	assert_in_range(m.log_info.n_trapped, 100, 101); /* one more is about the host */
	assert_int_equal(host_info().n_waiting, 7);
	assert_in_range(host_info().n_dropped, 93, 94);
	close_center();
	config_put(c);
}

TEST(reload_keeps_hosts_that_stay)
{
	uint16_t port = 0;
	int fd = server(SOCK_STREAM, &port);
	struct config *c = config_of("tcp", port, ""), *d = config_of("tcp", port, "logging facility 16\n"),
	              *e = config_of("udp", port, "no logging enable\n");
	open_center(c);
	say("one", 1);
	int conn = accept_one(fd);
	expect(conn, "<166>%ASA-6-722036: one\n");
	monitor_log_apply(&center, d);
	config_put(c);
	say("two", 2);
	expect(conn, "<134>%ASA-6-722036: two\n");
	assert_int_equal(host_info().n_sent, 2);
	monitor_log_apply(&center, e);
	config_put(d);
	assert_false(host_info().is_found);
	say("not logged", 3);
	char byte;
	for (int i = 0; i < TURNS_MAX; i++) {
		ssize_t n = recv(conn, &byte, 1, MSG_DONTWAIT);
		assert_true(n <= 0);
		if (n == 0)
			break;
		turn();
	}
	assert_int_equal(recv(conn, &byte, 1, MSG_DONTWAIT), 0);
	close(conn);
	close_center();
	config_put(e);
	close(fd);
}

/* Worker and auth send clean texts; one that is not itself any more must not forge a host's messages. */
TEST(a_message_is_one_line)
{
	uint16_t port = 0;
	int fd = server(SOCK_STREAM, &port);
	struct config *c = config_of("tcp", port, "");
	open_center(c);
	say("a\n<0>%ASA-0-1: b\x1b[2J\x7f", 1);
	int conn = accept_one(fd);
	expect(conn, "<166>%ASA-6-722036: a?<0>%ASA-0-1: b?[2J?\n");
	const struct ipc_msg q = {.type = IPC_LOG_ITEM_QUERY};
	struct ipc_msg m;
	monitor_log_answer(&center, &q, &m);
	assert_string_equal(m.log_item.text, "a?<0>%ASA-0-1: b?[2J?");
	close_center();
	config_put(c);
	close(conn);
	close(fd);
}

TEST(what_was_lost_is_counted)
{
	uint16_t port = 0;
	int fd = server(SOCK_DGRAM, &port);
	struct config *c = config_of("udp", port, "");
	const struct ipc_msg q = {.type = IPC_LOG_QUERY}, clear = {.type = IPC_LOG_CLEAR},
	                     item = {.type = IPC_LOG_ITEM_QUERY};
	struct ipc_msg m;
	open_center(c);
	struct ipc_log in = {.severity = 6, .id = 1, .n_lost = 4, .text = "x"};
	monitor_log_take(&center, &in, false);
	monitor_log_take(&center, &in, true);
	monitor_log_answer(&center, &q, &m);
	assert_int_equal(m.log_info.n_lost, 9);
	assert_int_equal(m.log_info.n_buffered, 1);
	assert_int_equal(m.log_info.newest, 1);
	monitor_log_answer(&center, &item, &m);
	assert_true(m.log_item.is_found);
	assert_string_equal(m.log_item.text, "x");
	monitor_log_answer(&center, &clear, &m);
	assert_int_equal(m.type, IPC_LOG_INFO);
	monitor_log_answer(&center, &item, &m);
	assert_false(m.log_item.is_found);
	close_center();
	config_put(c);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(frame_as_the_asa_sends_it),
	        cmocka_unit_test(lines_of_ours_have_an_id_too),
	        cmocka_unit_test(frame_is_bounded),
	        cmocka_unit_test(ring_keeps_the_newest),
	        cmocka_unit_test(ring_is_resized_and_cleared),
	        cmocka_unit_test(ring_takes_empty_texts_and_refuses_giants),
	        cmocka_unit_test(datagrams_arrive_in_the_order_of_their_origin),
	        cmocka_unit_test(a_time_in_the_future_does_not_wait),
	        cmocka_unit_test(stream_is_framed_and_comes_back),
	        cmocka_unit_test(queue_is_bounded),
	        cmocka_unit_test(reload_keeps_hosts_that_stay),
	        cmocka_unit_test(a_message_is_one_line),
	        cmocka_unit_test(what_was_lost_is_counted),
	};
	return RUN(tests);
}
