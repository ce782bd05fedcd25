/* Datagrams that are larger than the interface takes, in a network namespace of our own where it takes 1300
 * bytes. Exit status 77 (skipped) where that is not allowed. */
#include "../unit.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "io/netlink.h"
#include "io/udp.h"

#define LINK_MTU 1300
#define LARGE    1400
#define PIECES   20
#define SLOTS    8
#define WAIT_MS  20000 /* for what must come */

static uint8_t out[PIECES * LARGE], in[SLOTS * UDP_SLOT_BYTES];

static struct ends {
	struct udp server, client;
	struct udp_rx *rx;
	struct udp_path path;
	struct udp_piece pieces[PIECES];
} e;

static void ends_open(const char *address, bool has_no_gso)
{
	struct udp_config config = {.wants_gro = true};
	uint16_t port;
	e = (struct ends){0};
	assert_int_equal(addr_parse(span_str(address), &config.local), 0);
	assert_int_equal(udp_listen(&config, &e.server), 0);
	assert_int_equal(udp_local_port(&e.server, &port), 0);
	assert_int_equal(
	        udp_connect(&(struct udp_config){.pmtu = UDP_PMTU_PROBE}, &config.local, port, &e.client), 0);
	e.client.has_no_gso = has_no_gso;
	assert_int_equal(udp_rx_new(in, SLOTS, UDP_SLOT_BYTES, &e.rx), 0);
}

static void ends_close(void)
{
	udp_rx_free(e.rx);
	udp_close(&e.server);
	udp_close(&e.client);
}

/* One behind the other; the first byte of each is its number. */
static void lay_out(size_t n, bool may_fragment)
{
	uint32_t at = 0;
	for (size_t i = 0; i < n; at += e.pieces[i++].len) {
		e.pieces[i].offset = at;
		e.pieces[i].may_fragment = may_fragment;
		out[at] = (uint8_t)i;
	}
}

static unsigned send_all(size_t n)
{
	unsigned lost = 99;
	assert_int_equal(udp_send_batch(&e.client, &e.path, out, e.pieces, n, &lost), n);
	return lost;
}

/* The numbers of what came, in order. Loopback delivers within the sending call, unless the machine is busy:
 * waits until so many are there. */
static size_t receive(uint8_t *ret, size_t n_wanted)
{
	struct pollfd p = {.fd = e.server.fd, .events = POLLIN};
	const struct udp_datagram *d;
	size_t n = 0;
	for (int r; n < n_wanted ? poll(&p, 1, WAIT_MS) == 1 : poll(&p, 1, 0) == 1;) {
		r = udp_recv_batch(&e.server, e.rx, &d);
		for (int i = 0; i < r; i++) {
			assert_true(n < PIECES);
			assert_int_equal(d[i].n, e.pieces[d[i].p[0]].len);
			assert_memory_equal(d[i].p, out + e.pieces[d[i].p[0]].offset, d[i].n);
			ret[n++] = d[i].p[0];
		}
	}
	return n;
}

static void data_goes_once_as_fragments(const char *address, bool has_no_gso)
{
	uint8_t got[PIECES];
	ends_open(address, has_no_gso);
	for (size_t i = 0; i < PIECES; i++)
		e.pieces[i].len = i < 12    ? LARGE
		                  : i == 12 ? 900
		                            : 1000; /* two trains, the first one ends short */
	lay_out(PIECES, true);
	assert_int_equal(send_all(PIECES), 0);
	assert_int_equal(e.path.too_big_bytes, LARGE); /* told all the same */
	assert_false(e.path.is_gso_refused);           /* it was the size */
	assert_int_equal(receive(got, PIECES), PIECES);
	for (size_t i = 0; i < PIECES; i++)
		assert_int_equal(got[i], i);
	ends_close();
}

TEST(data_leaves_as_fragments)
{
	data_goes_once_as_fragments("127.0.0.1", false);
	data_goes_once_as_fragments("127.0.0.1", true);
	data_goes_once_as_fragments("::1", false);
}

TEST(probes_never_do)
{
	uint8_t got[PIECES];
	ends_open("127.0.0.1", false);
	for (size_t i = 0; i < 4; i++)
		e.pieces[i].len = LARGE;
	lay_out(4, false);
	assert_int_equal(send_all(4), 4);
	assert_int_equal(e.path.too_big_bytes, LARGE);
	assert_int_equal(receive(got, 0), 0);
	/* .. nor in the middle of data, and not behind it, where DF must be back */
	lay_out(4, true);
	e.pieces[1].may_fragment = e.pieces[3].may_fragment = false;
	assert_int_equal(send_all(4), 2);
	assert_int_equal(receive(got, 2), 2);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 2);
	ends_close();
}

TEST(a_socket_without_df_stays_without)
{
	uint8_t got[PIECES];
	ends_open("127.0.0.1", false);
	assert_int_equal(udp_set_pmtu(&e.client, UDP_PMTU_DONT), 0);
	e.pieces[0] = (struct udp_piece){.len = UINT16_MAX, .may_fragment = true};
	static uint8_t huge[UINT16_MAX];
	unsigned lost;
	assert_int_equal(udp_send_batch(&e.client, &e.path, huge, e.pieces, 1, &lost), 1);
	assert_int_equal(lost, 1); /* no IP packet is so large */
	e.pieces[0].len = LARGE;
	lay_out(1, false);
	assert_int_equal(send_all(1), 0);
	assert_int_equal(receive(got, 1), 1);
	ends_close();
}

static int lower_loopback(void)
{
	struct netlink *nl;
	uint32_t index;
	int r = netlink_open(&nl);
	if (r < 0)
		return r;
	r = netlink_link_index(nl, "lo", &index);
	if (r == 0)
		r = netlink_link_set_mtu(nl, index, LINK_MTU);
	if (r == 0)
		r = netlink_link_set_up(nl, index, true);
	netlink_close(nl);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(data_leaves_as_fragments),
	        cmocka_unit_test(probes_never_do),
	        cmocka_unit_test(a_socket_without_df_stays_without),
	};
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 77;
	if (lower_loopback() < 0)
		return 77;
	return RUN(tests);
}
