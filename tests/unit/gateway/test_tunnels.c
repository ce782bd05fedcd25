/* What a session's two tunnels carry, refuse and survive. */
#include "worker_unit.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "wire/pieces.h"

TEST(both_channels_carry_data)
{
	static uint8_t p[PACKET_MAX];
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE);
	tls_carries_data(c);
	dtls_up(c);
	dtls_carries_data(c);
	/* what does not fit a datagram goes by TLS */
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, 9000, 5);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
	/* another's source address, and no packet at all, go nowhere */
	n = packet(p, INNER_SERVER, INNER_SERVER, 100, 6);
	dtls_say(c, CSTP_DATA, p, n);
	cstp_say(c, CSTP_DATA, p, n);
	cstp_say(c, CSTP_DATA, p, 3);
	cstp_say(c, CSTP_DATA, NULL, 0);
	tun_stays_silent(c);
	dtls_carries_data(c);
	client_free(c);
	gateway_stop(false);
}

TEST(dpd_is_echoed_in_every_size)
{
	static uint8_t p[PACKET_MAX];
	static const size_t sizes[] = {0, 1, 576, 1400, 1500, 4000, 9000, 16000, PACKET_MAX};
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * 7);
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE);
	dtls_up(c);
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		cstp_say(c, CSTP_DPD_REQUEST, p, sizes[i]);
		cstp_expect(c, CSTP_DPD_RESPONSE, p, sizes[i]);
		dtls_say(c, CSTP_DPD_REQUEST, p, sizes[i]);
		dtls_expect(c, CSTP_DPD_RESPONSE, p, sizes[i]);
	}
	/* answers and keepalives are never answered */
	cstp_say(c, CSTP_KEEPALIVE, NULL, 0);
	cstp_say(c, CSTP_DPD_RESPONSE, p, 10);
	dtls_say(c, CSTP_KEEPALIVE, NULL, 0);
	assert_false(readable(c->fd, SILENCE_MS));
	assert_false(readable(c->udp.fd, 0));
	client_free(c);
	gateway_stop(false);
}

/* Whoever has seen the id on the wire sends a ClientHello from elsewhere. */
TEST(a_copied_hello_moves_nothing)
{
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE), *thief = client_open();
	thief->udp_from = 0x7f000002;
	dtls_up(c);
	dtls_carries_data(c);
	for (int i = 0; i < 6; i++) {
		dtls_begin(thief, c->id);
		dtls_flush(thief);
		dtls_carries_data(c);
	}
	/* garbage from the client's own address neither */
	uint8_t junk[64] = {22, 0xfe, 0xfd, 0, 1};
	for (uint8_t type = 19; type < 26; type++) {
		junk[0] = type;
		assert_int_equal(send(c->udp.fd, junk, sizeof(junk), 0), sizeof(junk));
		assert_int_equal(send(c->udp.fd, junk, 14, 0), 14);
		assert_int_equal(send(thief->udp.fd, junk, sizeof(junk), 0), sizeof(junk));
	}
	assert_int_equal(send(c->udp.fd, junk, 0, 0), 0);
	dtls_carries_data(c);
	/* the client's port changes: an authentic record proves it */
	dtls_socket(c);
	dtls_carries_data(c);
	/* and its own second handshake replaces the first */
	dtls_up(c);
	dtls_carries_data(c);
	client_free(c);
	client_free(thief);
	gateway_stop(false);
}

/* A datagram that was overtaken, or that somebody has held back, comes from a place where the client is no
 * more: what is in it counts, where it came from does not. */
TEST(a_late_record_moves_nothing)
{
	uint8_t p[300], late[600];
	struct udp_config uc = {.local = addr_from_v4(0x7f000001)};
	struct ip_addr to = addr_from_v4(0x7f000001);
	struct udp elsewhere;
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE);
	dtls_up(c);
	size_t n = packet(p + 1, INNER_CLIENT, INNER_SERVER, sizeof(p) - 1, 9);
	p[0] = CSTP_DATA;
	assert_int_equal(dtls_write(c->dtls, span_of(p, 1 + n)), 0);
	size_t n_late = c->dout.n;
	assert_in_range(n_late, n, sizeof(late));
	memcpy(late, c->dout.p, n_late);
	dtls_out_reset(&c->dout);
	dtls_carries_data(c);
	assert_int_equal(udp_connect(&uc, &to, g.udp_port, &elsewhere), 0);
	assert_int_equal(send(elsewhere.fd, late, n_late, 0), (ssize_t)n_late);
	tun_expect(p + 1, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 200, 4);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	dtls_expect(c, CSTP_DATA, p, n);
	assert_false(readable(elsewhere.fd, 0));
	udp_close(&elsewhere);
	client_free(c);
	gateway_stop(false);
}

static void bad_frame(const char *bytes, size_t n, uint32_t connection)
{
	struct client *c = client_tunnel(connection, "");
	client_say(c, bytes, n);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(connection);
}

TEST(bad_frames_close_the_tunnel_and_keep_the_session)
{
	uint8_t two[2 * CSTP_HEADER_BYTES];
	gateway_start();
	bad_frame("STF", 3, 1);
	bad_frame("XYZ\1\0\0\7\0", 8, 2);
	bad_frame("STF\2\0\0\7\0", 8, 3);
	bad_frame("STF\1\0\0\7\1", 8, 4);
	bad_frame("STF\1\0\5\0\0ab", 10, 5);
	bad_frame("STF\1\377\377\0\0ab", 10, 6);
	struct client *c = client_tunnel(7, "");
	cstp_put_header(two, CSTP_DPD_REQUEST, 0); /* two packets in one record are both served */
	cstp_put_header(two + CSTP_HEADER_BYTES, CSTP_DPD_REQUEST, 0);
	client_say(c, two, sizeof(two));
	cstp_expect(c, CSTP_DPD_RESPONSE, NULL, 0);
	cstp_expect(c, CSTP_DPD_RESPONSE, NULL, 0);
	for (int i = 0; i < 1000; i++) /* unknown types are dropped, and do not fill the log */
		cstp_say(c, (uint8_t)(10 + i % 200), "x", 1);
	tls_carries_data(c);
	assert_in_range(log_count("722015"), 1, 60);
	client_free(c);
	gateway_stop(false);
}

/* Two packets in one record, the first of which ends the session. */
TEST(nothing_is_read_after_the_end)
{
	struct ipc_msg m;
	uint8_t two[2 * CSTP_HEADER_BYTES + 1];
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE);
	dtls_up(c);
	cstp_put_header(two, CSTP_DISCONNECT, 1);
	two[CSTP_HEADER_BYTES] = 0xb0;
	cstp_put_header(two + CSTP_HEADER_BYTES + 1, CSTP_DPD_REQUEST, 0);
	client_say(c, two, sizeof(two));
	expect(&g.auth, IPC_SESSION_END, &m);
	expect_end(c);
	client_free(c);
	c = client_tunnel(2, PSK_LINE); /* the end comes by DTLS */
	dtls_up(c);
	dtls_say(c, CSTP_DISCONNECT, "\xb0", 1);
	expect(&g.auth, IPC_SESSION_END, &m);
	expect_end(c);
	client_free(c);
	gateway_stop(false);
}

TEST(the_newer_connection_wins)
{
	struct ipc_msg m;
	gateway_start();
	struct client *a = client_tunnel(1, PSK_LINE);
	dtls_up(a);
	struct client *b = client_tunnel(2, PSK_LINE);
	expect_end(a); /* without a DISCONNECT */
	tls_carries_data(b);
	dtls_up(b);
	both_carry_data(b);
	struct ipc_msg kick = {.type = IPC_SESSION_KICK, .session_kick = {7, 1, IPC_KICK_ADMIN}};
	auth_say(&kick); /* of the first connection: crossed the take-over, ignored */
	both_carry_data(b);
	kick.session_kick.connection = 2;
	auth_say(&kick);
	cstp_expect(b, CSTP_DISCONNECT,
	        "\xb0"
	        "Administrator Reset",
	        20);
	expect_end(b);
	client_free(a);
	client_free(b);
	assert_false(readable(g.auth.fd, SILENCE_MS)); /* auth knows already */
	a = client_tunnel(3, "");
	close(a->fd); /* a cut */
	a->fd = -1;
	expect_lost(3);
	client_free(a);
	m = (struct ipc_msg){.type = IPC_SESSION_KICK, .session_kick = {7, 3, IPC_KICK_EXPIRED}};
	auth_say(&m);
	gateway_stop(false);
}

/* A client of ours comes back by a new connection: its DTLS goes on until the next one is up, and what it has
 * sent with the old keys still counts then. */
TEST(own_client_keeps_its_dtls)
{
	uint8_t p[400];
	gateway_start();
	struct client *a = client_tunnel(1, OWN_LINES);
	assert_non_null(strstr(a->in.p, "\r\nX-Culvert: 1; steer; pieces\r\n"));
	dtls_up(a);
	dtls_carries_data(a);
	close(a->fd); /* a cut */
	a->fd = -1;
	struct client *b = client_tunnel(2, OWN_LINES);
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 7);
	dtls_say(a, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 8);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	dtls_expect(a, CSTP_DATA, p, n);
	dtls_up(b);
	dtls_carries_data(b);
	n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 9);
	dtls_say(a, CSTP_DATA, p, n); /* was on the way */
	tun_expect(p, n);
	dtls_carries_data(b);
	client_free(a);
	client_free(b);
	gateway_stop(false);
}

/* The client of an abbreviated handshake may send data at once; its Finished comes behind that. */
TEST(data_that_overtakes_the_handshake)
{
	static const uint8_t master[DTLS_MASTER_BYTES] = {7};
	char lines[256] = "X-DTLS12-CipherSuite: AES256-GCM-SHA384\r\nX-DTLS-Master-Secret: ";
	uint8_t p[300];
	size_t at = strlen(lines), n;
	struct wr w = wr_open(lines + at, sizeof(lines) - at - 3);
	wr_hex(&w, span_of(master, sizeof(master)));
	strcat(lines, "\r\n");
	gateway_start();
	struct client *c = client_tunnel(1, lines);
	const char *id = strstr(c->in.p, "X-DTLS-Session-ID: ");
	assert_non_null(id);
	assert_int_equal(parse_hex(span_of(id + 19, 64), c->id, sizeof(c->id), &at), 0);
	dtls_begin_resume(c, master, "AES256-GCM-SHA384");
	do {
		dtls_flush(c);
		assert_true(dtls_receive(c, WAIT_MS));
	} while (dtls_handshake(c->dtls) == ERR_MORE);
	assert_true(dtls_is_up(c->dtls));
	p[0] = CSTP_DATA;
	n = packet(p + 1, INNER_CLIENT, INNER_SERVER, sizeof(p) - 1, 3);
	assert_int_equal(dtls_write(c->dtls, span_of(p, n + 1)), 0);
	for (size_t i = c->dout.n_dgram; i-- > 0;)
		assert_int_equal(
		        send(c->udp.fd, c->dout.p + c->dout.dgram[i].offset, c->dout.dgram[i].len, 0),
		        c->dout.dgram[i].len);
	dtls_out_reset(&c->dout);
	tun_expect(p + 1, n);
	dtls_prove(c);
	dtls_carries_data(c);
	client_free(c);
	gateway_stop(false);
}

/* Puts together what the gateway sends in pieces. */
static void pieces_expect(struct client *c, const uint8_t *p, size_t n)
{
	struct joiner *j = joiner_new(PIECE_PACKET_MAX);
	enum joiner_result r = JOINER_MORE;
	struct span whole = {0};
	assert_non_null(j);
	while (r == JOINER_MORE) {
		assert_true(dtls_receive(c, WAIT_MS));
		int got = dtls_read(c->dtls, c->plain, sizeof(c->plain));
		if (got <= 0 || dtls_answer(c, (size_t)got))
			continue;
		assert_int_equal(c->plain[0], DTLS_PIECE);
		r = joiner_put(j, span_of(c->plain + 1, (size_t)got - 1), 0, &whole);
	}
	assert_int_equal(r, JOINER_PACKET);
	assert_int_equal(whole.n, n);
	assert_memory_equal(whole.p, p, n);
	joiner_free(j);
}

static void tun_expect_too_big(uint32_t to, uint16_t mtu)
{
	uint8_t icmp[ICMP_TOO_BIG_MAX];
	struct ip_packet p;
	assert_true(readable(g.tun, WAIT_MS));
	ssize_t n = read(g.tun, icmp, sizeof(icmp));
	assert_true(n > 0);
	assert_int_equal(ip_parse(span_of(icmp, (size_t)n), &p), 0);
	struct ip_addr want = addr_from_v4(to);
	assert_true(addr_eq(&p.dst, &want));
	assert_int_equal(p.payload.p[0], 3);
	assert_int_equal(p.payload.p[1], 4);
	assert_int_equal(p.payload.p[6] << 8 | p.payload.p[7], mtu);
}

TEST(large_packets_go_in_pieces)
{
	static uint8_t p[5000], piece[1000];
	size_t m;
	gateway_start();
	struct client *c = client_tunnel(1, OWN_LINES);
	dtls_up(c);
	dtls_carries_data(c);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 5);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	pieces_expect(c, p, n);
	p[6] = 0x40; /* with DF the sender is told, and the packet goes all the same */
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	pieces_expect(c, p, n);
	tun_expect_too_big(INNER_SERVER, 1434);
	n = packet(p, INNER_CLIENT, INNER_SERVER, 1400, 6);
	struct cutter cut = cutter_open(span_of(p, n), 1, 600);
	while ((m = cutter_next(&cut, piece)) > 0)
		dtls_say(c, DTLS_PIECE, piece, m);
	tun_expect(p, n);
	dtls_say(c, DTLS_PIECE, "\0", 1); /* malformed: nothing happens */
	dtls_carries_data(c);
	client_free(c);
	c = client_tunnel(2, PSK_LINE); /* a stock client: its pieces are no packets */
	dtls_up(c);
	cut = cutter_open(span_of(p, n), 1, 600);
	while ((m = cutter_next(&cut, piece)) > 0)
		dtls_say(c, DTLS_PIECE, piece, m);
	tun_stays_silent(c);
	both_carry_data(c);
	client_free(c);
	gateway_stop(false);
}

/* The first CONNECT asked for IPv4, the next for both, the last for IPv4 again. */
TEST(a_resume_may_change_the_families)
{
	uint8_t p[60] = {0x60, 0, 0, 0, 0, 20, 59, 64, 0xfd};
	p[24] = 0xfd;
	p[39] = 7;
	gateway_start();
	struct client *a = client_tunnel(1, "");
	g.gives_ip6 = true;
	struct client *b = client_tunnel(2, "X-CSTP-Base-MTU: 1000\r\n");
	assert_non_null(strstr(b->in.p, "X-CSTP-Base-MTU: 1000\r\n"));
	assert_non_null(strstr(b->in.p, "X-CSTP-MTU: 1280\r\n"));
	tls_carries_data(b);
	assert_int_equal(write(g.tun, p, sizeof(p)), sizeof(p));
	cstp_expect(b, CSTP_DATA, p, sizeof(p));
	g.gives_ip6 = false;
	struct client *c = client_tunnel(3, "");
	assert_int_equal(write(g.tun, p, sizeof(p)), sizeof(p));
	tls_carries_data(c);
	client_free(a);
	client_free(b);
	client_free(c);
	gateway_stop(false);
}

/* Much for a client that does not read: what does not fit is dropped, others are served, and what it gets
 * when it reads again is whole packets. */
TEST(a_slow_reader_costs_a_bounded_buffer)
{
	uint8_t p[1400];
	gateway_start();
	struct client *c = client_open_mss(500);
	client_ask_tunnel(c, "");
	auth_opens(7, 1);
	assert_int_equal(client_answer(c), 200);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 9);
	for (int i = 0; i < 3000; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	}
	turn();
	unsigned n_got = 0;
	for (;;) { /* until the answer to a request, which is sent when all seems to have come */
		if (tls_unread(c->tls) == 0 && !readable(c->fd, SILENCE_MS))
			cstp_say(c, CSTP_DPD_REQUEST, "12345", 5);
		if (client_record(c) != (int)(CSTP_HEADER_BYTES + n))
			break;
		assert_memory_equal(c->plain + CSTP_HEADER_BYTES, p, n);
		n_got++;
	}
	assert_in_range(n_got, 100, 2000);
	client_free(c);
	gateway_stop(false);
}

/* The output is full, so the gateway cannot even say goodbye; the record came in two parts, and so lies in
 * memory of the connection that is gone then. */
TEST(a_bad_frame_of_a_slow_reader)
{
	uint8_t p[1400];
	gateway_start();
	struct client *c = client_open_mss(500);
	client_ask_tunnel(c, "");
	auth_opens(7, 1);
	assert_int_equal(client_answer(c), 200);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 9);
	for (int i = 0; i < 3000; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	}
	for (int i = 0; i < 2000; i++) /* to the last byte */
		cstp_say(c, CSTP_DPD_REQUEST, NULL, 0);
	turn();
	assert_int_equal(tls_write(c->tls, span_of((const uint8_t *)"XYZ\1\0\0\7\0", 8)), 0);
	assert_int_equal(send(c->fd, c->out.p, 20, 0), 20);
	turn();
	turn();
	tls_out_consume(&c->out, 20);
	client_flush(c);
	expect_lost(1);
	client_free(c);
	gateway_stop(false);
}

/* Whoever sends what is no record of the connection's hears why it ends. */
TEST(a_forged_record_is_answered_by_an_alert)
{
	static const uint8_t forged[5 + 40] = {23, 3, 3, 0, 40};
	gateway_start();
	struct client *c = client_tunnel(1, "");
	assert_int_equal(send(c->fd, forged, sizeof(forged), 0), sizeof(forged));
	expect_end(c);
	assert_non_null(strstr(tls_error(c->tls), "bad record mac"));
	expect_lost(1);
	client_free(c);
	gateway_stop(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(both_channels_carry_data),
	        cmocka_unit_test(dpd_is_echoed_in_every_size),
	        cmocka_unit_test(a_copied_hello_moves_nothing),
	        cmocka_unit_test(a_late_record_moves_nothing),
	        cmocka_unit_test(bad_frames_close_the_tunnel_and_keep_the_session),
	        cmocka_unit_test(nothing_is_read_after_the_end),
	        cmocka_unit_test(own_client_keeps_its_dtls),
	        cmocka_unit_test(data_that_overtakes_the_handshake),
	        cmocka_unit_test(large_packets_go_in_pieces),
	        cmocka_unit_test(the_newer_connection_wins),
	        cmocka_unit_test(a_resume_may_change_the_families),
	        cmocka_unit_test(a_slow_reader_costs_a_bounded_buffer),
	        cmocka_unit_test(a_bad_frame_of_a_slow_reader),
	        cmocka_unit_test(a_forged_record_is_answered_by_an_alert),
	};
	return RUN_WORKER(tests);
}
