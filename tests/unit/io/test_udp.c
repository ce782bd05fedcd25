#include "../unit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "io/udp.h"

#define SLOTS   8
#define WAIT_MS 20000 /* for what must come */

static uint8_t out[256 * 1024], in[SLOTS * UDP_SLOT_BYTES];

static struct ip_addr ip(const char *s)
{
	struct ip_addr a;
	assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

struct ends {
	struct udp server, client;
	struct udp_rx *rx;
	struct udp_path to_server;
};

static void ends_open(struct ends *e, const char *listen_on, const char *dial, bool wants_gro)
{
	struct udp_config config = {.wants_gro = wants_gro, .has_reuseport = true, .buffer_bytes = 4 << 20};
	struct ip_addr to = ip(dial);
	uint16_t port;
	memset(e, 0, sizeof(*e));
	if (listen_on[0] != '\0')
		config.local = ip(listen_on);
	assert_int_equal(udp_listen(&config, &e->server), 0);
	assert_int_equal(udp_local_port(&e->server, &port), 0);
	config = (struct udp_config){.wants_gro = wants_gro, .buffer_bytes = 4 << 20};
	assert_int_equal(udp_connect(&config, &to, port, &e->client), 0);
	assert_int_equal(udp_rx_new(in, SLOTS, UDP_SLOT_BYTES, &e->rx), 0);
}

static void ends_close(struct ends *e)
{
	udp_rx_free(e->rx);
	udp_close(&e->server);
	udp_close(&e->client);
}

/* Loopback delivers within the sending call, unless the machine is busy. */
static int receive(struct ends *e, const struct udp *u, const struct udp_datagram **ret)
{
	struct pollfd p = {.fd = u->fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	return udp_recv_batch(u, e->rx, ret);
}

static void receive_nothing(struct ends *e, const struct udp *u)
{
	const struct udp_datagram *d;
	assert_int_equal(udp_recv_batch(u, e->rx, &d), 0);
}

/* Pieces of these lengths one behind the other; the first byte of each is its number. */
static void lay_out(struct udp_piece *pieces, const uint32_t *lens, size_t n)
{
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		pieces[i] = (struct udp_piece){.offset = at, .len = lens[i]};
		if (lens[i] > 0)
			out[at] = (uint8_t)i;
		at += lens[i];
	}
}

TEST(runs_are_grouped_by_length)
{
	struct udp_piece p[100];
	static const uint32_t lens[] = {100, 100, 100, 40, 100, 200, 200, 0, 0, 7};
	static const size_t runs[] = {4, 1, 2, 1, 1, 1};
	size_t at = 0;
	lay_out(p, lens, N_ELEM(lens));
	for (size_t i = 0; i < N_ELEM(runs); i++) {
		assert_int_equal(udp_run_len(p + at, N_ELEM(lens) - at), runs[i]);
		at += runs[i];
	}
	assert_int_equal(at, N_ELEM(lens));
	assert_int_equal(udp_run_len(p, 0), 0);
	for (size_t i = 0; i < 100; i++)
		p[i] = (struct udp_piece){.offset = (uint32_t)(i * 10), .len = 10};
	assert_int_equal(udp_run_len(p, 100), UDP_GSO_SEGMENTS_MAX);
	p[3].offset++; /* a hole */
	assert_int_equal(udp_run_len(p, 100), 3);
	for (size_t i = 0; i < 100; i++)
		p[i] = (struct udp_piece){.offset = (uint32_t)(i * 1500), .len = 1500};
	assert_int_equal(udp_run_len(p, 100), UDP_GSO_BYTES_MAX / 1500);
}

/* Sends pieces client to server and checks that each arrives whole and in order. */
static void send_and_check(struct ends *e, const struct udp_piece *pieces, size_t n)
{
	const struct udp_datagram *d;
	size_t got = 0;
	unsigned too_big = 1;
	assert_int_equal(udp_send_batch(&e->client, &e->to_server, out, pieces, n, &too_big), n);
	assert_int_equal(too_big, 0);
	while (got < n) {
		int r = receive(e, &e->server, &d);
		assert_true(r > 0);
		for (int i = 0; i < r; i++, got++) {
			assert_int_equal(d[i].n, pieces[got].len);
			assert_memory_equal(d[i].p, out + pieces[got].offset, d[i].n);
		}
	}
	receive_nothing(e, &e->server);
}

TEST(batches_arrive_whole)
{
	static const char *const places[][2] = {
	        {"127.0.0.1", "127.0.0.1"}, {"", "127.0.0.1"}, {"::1", "::1"}};
	struct udp_piece p[150];
	uint32_t lens[150];
	struct ends e;
	for (size_t i = 0; i < N_ELEM(lens); i++)
		lens[i] = i < 70 ? 1300 : i == 70 ? 9 : i < 100 ? (uint32_t)(i * 7 % 900) : 200;
	for (size_t i = 0; i < N_ELEM(places); i++) {
		for (int gro = 0; gro < 2; gro++) {
			ends_open(&e, places[i][0], places[i][1], gro == 1);
			lay_out(p, lens, N_ELEM(lens));
			send_and_check(&e, p, N_ELEM(p));
			e.to_server.is_gso_refused = true; /* the fallback */
			send_and_check(&e, p, N_ELEM(p));
			ends_close(&e);
		}
	}
}

TEST(answers_leave_from_the_address_asked)
{
	/* 127.0.0.5 is ours too: an answer without pktinfo would leave from 127.0.0.1 and be dropped */
	struct udp_piece p[3];
	static const uint32_t lens[] = {50, 50, 20};
	const struct udp_datagram *d;
	struct ends e;
	ends_open(&e, "", "127.0.0.5", true);
	lay_out(p, lens, 3);
	assert_int_equal(udp_send_batch(&e.client, &e.to_server, out, p, 3, NULL), 3);
	assert_int_equal(receive(&e, &e.server, &d), 3);
	struct ip_addr asked = ip("127.0.0.5");
	assert_true(addr_eq(d[2].local, &asked));
	assert_true(d[2].ifindex > 0);
	struct udp_path back = {.peer = *d[2].peer, .local = *d[2].local};
	uint16_t port = 0, client_port;
	struct ip_addr peer = udp_addr_ip(d[0].peer, &port);
	assert_int_equal(udp_local_port(&e.client, &client_port), 0);
	assert_int_equal(port, client_port);
	assert_int_equal(peer.family, 4);
	union udp_addr again = udp_addr_make(&e.server, &peer, port);
	assert_true(udp_addr_eq(&again, d[0].peer));
	assert_int_equal(udp_send_batch(&e.server, &back, out, p, 3, NULL), 3);
	assert_int_equal(receive(&e, &e.client, &d), 3);
	assert_memory_equal(d[2].p, out + 100, 20);
	ends_close(&e);
}

TEST(too_big_is_counted_and_the_rest_goes_on)
{
	/* larger than any UDP datagram: EMSGSIZE by itself */
	struct udp_piece p[3] = {{0, 100}, {100, 66000}, {66100, 100}};
	const struct udp_datagram *d;
	unsigned too_big = 0;
	struct ends e;
	ends_open(&e, "127.0.0.1", "127.0.0.1", false);
	assert_int_equal(udp_send_batch(&e.client, &e.to_server, out, p, 3, &too_big), 3);
	assert_int_equal(too_big, 1);
	for (int n = 0, r; n < 2; n += r) {
		r = receive(&e, &e.server, &d);
		assert_true(r > 0);
	}
	receive_nothing(&e, &e.server);
	ends_close(&e);
}

TEST(what_a_slot_cannot_hold_is_dropped)
{
	struct udp_piece p[2] = {{0, 200}, {200, 90}};
	const struct udp_datagram *d;
	struct udp_rx *rx;
	struct ends e;
	ends_open(&e, "127.0.0.1", "127.0.0.1", false);
	assert_int_equal(udp_rx_new(in, SLOTS, 100, &rx), 0);
	struct pollfd is_there = {.fd = e.server.fd, .events = POLLIN};
	int r = 0;
	assert_int_equal(udp_send_batch(&e.client, &e.to_server, out, p, 2, NULL), 2);
	while (r == 0) { /* the first may come alone, and is dropped */
		assert_int_equal(poll(&is_there, 1, WAIT_MS), 1);
		r = udp_recv_batch(&e.server, rx, &d);
	}
	assert_int_equal(r, 1);
	assert_int_equal(d[0].n, 90);
	udp_rx_free(rx);
	ends_close(&e);
}

TEST(listen_errors_are_told)
{
	struct udp_config config = {.local = ip("127.0.0.1")};
	struct udp a, b;
	assert_int_equal(udp_listen(&config, &a), 0);
	assert_int_equal(udp_local_port(&a, &config.port), 0);
	assert_int_equal(udp_listen(&config, &b), -EADDRINUSE);
	config.local = ip("192.0.2.1");
	assert_int_equal(udp_listen(&config, &b), -EADDRNOTAVAIL);
	assert_int_equal(udp_set_pmtu(&a, UDP_PMTU_DONT), 0);
	udp_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(runs_are_grouped_by_length),
	        cmocka_unit_test(batches_arrive_whole),
	        cmocka_unit_test(answers_leave_from_the_address_asked),
	        cmocka_unit_test(too_big_is_counted_and_the_rest_goes_on),
	        cmocka_unit_test(what_a_slot_cannot_hold_is_dropped),
	        cmocka_unit_test(listen_errors_are_told),
	};
	return RUN(tests);
}
