/* Super-packets by TLS, whole: a CSTP packet each, over several records, from peers that have the word. */
#include "worker_unit.h"

#include <unistd.h>

#include "io/offload.h"

#define SUPER_SEGMENT 1300
#define SUPER_PAYLOAD 40000
#define SUPER_TUN_MTU 1434

static const char *const super_lines = "X-Culvert: 1; steer; pieces; super\r\n";
static uint8_t super[CSTP_HEADER_BYTES + 2 + 40 + SUPER_PAYLOAD + 100];

/* A CSTP packet with TCP from there; its bytes. */
static size_t super_make(uint32_t src, uint16_t segment, size_t n_payload)
{
	struct wr w = wr_open(super + CSTP_HEADER_BYTES, 2 + 40);
	uint8_t *ip = super + CSTP_HEADER_BYTES + 2;
	cstp_put_header(super, CSTP_SUPER, (uint16_t)(2 + 40 + n_payload));
	wr_u16(&w, segment);
	wr_u32(&w, 0x45000000u | (uint32_t)(40 + n_payload));
	wr_u32(&w, 0x00074000);
	wr_u32(&w, 64u << 24 | 6u << 16);
	wr_u32(&w, src);
	wr_u32(&w, INNER_SERVER);
	wr_u32(&w, 4000u << 16 | 80);
	wr_u32(&w, 1000); /* sequence number */
	wr_u32(&w, 2000);
	wr_u32(&w, 0x50100100);
	wr_u32(&w, 0xdead0000); /* a sum that nobody believes */
	assert_true(wr_ok(&w));
	be16_put(ip + 10, ip_fold(ip_sum(0, span_of(ip, 20))));
	for (size_t i = 0; i < n_payload; i++)
		ip[40 + i] = (uint8_t)(i * 7 + i / 251);
	return CSTP_HEADER_BYTES + 2 + 40 + n_payload;
}

static void super_say(struct client *c, size_t n, size_t part_bytes)
{
	for (size_t at = 0; at < n; at += part_bytes)
		client_say(c, super + at, n - at < part_bytes ? n - at : part_bytes);
}

/* Its packets, one by one: this device takes no large ones. */
static void super_arrives(size_t segment, size_t n_payload)
{
	static uint8_t buf[2000];
	for (size_t at = 0; at < n_payload; at += segment) {
		size_t n = n_payload - at < segment ? n_payload - at : segment;
		struct ip_packet p;
		assert_true(readable(g.tun, WAIT_MS));
		assert_int_equal(read(g.tun, buf, sizeof(buf)), (ssize_t)(40 + n));
		assert_int_equal(ip_parse(span_of(buf, 40 + n), &p), 0);
		assert_int_equal(ip_fold(ip_sum(0, span_of(buf, 20))), 0);
		assert_int_equal(
		        ip_fold(ip_sum(ip_pseudo_sum(&p.src, &p.dst, 6, (uint32_t)(20 + n)), p.payload)), 0);
		assert_int_equal(p.payload.p[6] << 8 | p.payload.p[7], 1000 + at);
		assert_memory_equal(p.payload.p + 20, super + CSTP_HEADER_BYTES + 2 + 40 + at, n);
	}
}

static void super_packets_arrive(struct client *c)
{
	static const size_t parts[] = {TLS_RECORD_MAX, 1400, 15, CSTP_HEADER_BYTES};
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, 5000); /* in one record */
	super_say(c, n, TLS_RECORD_MAX);
	super_arrives(SUPER_SEGMENT, 5000);
	for (size_t i = 0; i < N_ELEM(parts); i++) {
		n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
		super_say(c, n, parts[i]);
		super_arrives(SUPER_SEGMENT, SUPER_PAYLOAD);
		tls_carries_data(c);
	}
}

TEST(super_packets_of_an_own_client)
{
	gateway_start();
	struct client *c = client_tunnel(1, super_lines);
	assert_non_null(strstr(c->in.p, "\r\nX-Culvert: 1; steer; pieces; super\r\n"));
	super_packets_arrive(c);
	/* not the client's address, larger than what was announced, cut short inside: dropped, no more */
	super_say(c, super_make(INNER_CLIENT + 1, SUPER_SEGMENT, SUPER_PAYLOAD), TLS_RECORD_MAX);
	super_say(c, super_make(INNER_CLIENT, SUPER_TUN_MTU - 39, SUPER_PAYLOAD), TLS_RECORD_MAX);
	super_say(c, super_make(INNER_CLIENT, 1, 2000), TLS_RECORD_MAX);
	cstp_say(c, CSTP_SUPER, super, 40);
	cstp_say(c, CSTP_SUPER, "", 0);
	tls_carries_data(c);
	/* a cut in the middle of one: the next connection begins anew */
	super_say(c, TLS_RECORD_MAX, TLS_RECORD_MAX);
	client_free(c);
	expect_lost(1);
	c = client_tunnel(2, super_lines);
	super_packets_arrive(c);
	/* the record goes on behind the packet's end: the stream is lost */
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
	super_say(c, n + 1, TLS_RECORD_MAX);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(2);
	gateway_stop(false);
}

/* TLS 1.2 stays with OpenSSL's record layer. */
TEST(super_packets_through_the_library)
{
	gateway_start();
	clients_tls_max(TLS_1_2);
	struct client *c = client_tunnel(1, super_lines);
	super_packets_arrive(c);
	client_free(c);
	clients_tls_max(TLS_ANY);
	gateway_stop(false);
}

/* Without the word, and with policy classic, such a packet is of an unknown type, and one that crosses a
 * record a broken stream. */
static void super_is_unknown(struct client *c, uint32_t connection)
{
	assert_null(strstr(c->in.p, "super"));
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, 5000);
	super_say(c, n, TLS_RECORD_MAX);
	tls_carries_data(c); /* and nothing came before it */
	n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
	super_say(c, n, TLS_RECORD_MAX);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(connection);
}

TEST(super_packets_of_others)
{
	gateway_start();
	super_is_unknown(client_tunnel(1, ""), 1);
	super_is_unknown(client_tunnel(2, "X-Culvert: 1; steer; pieces\r\n"), 2);
	gateway_stop(false);
	g.more_config = "group-policy GP attributes\n webvpn\n  anyconnect mtu-policy classic\n";
	gateway_start();
	super_is_unknown(client_tunnel(1, super_lines), 1);
	gateway_stop(false);
	g.more_config = NULL;
	g.offloads_refused = OFFLOAD_SUPER;
	gateway_start();
	super_is_unknown(client_tunnel(1, super_lines), 1);
	gateway_stop(false);
	g.offloads_refused = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(super_packets_of_an_own_client),
	        cmocka_unit_test(super_packets_through_the_library),
	        cmocka_unit_test(super_packets_of_others),
	};
	return RUN_WORKER(tests);
}
