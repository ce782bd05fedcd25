/* What MTU is announced, what becomes of packets above it, and the MSS of SYNs. */
#include "worker_unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void announces(const char *lines, const char *want, uint32_t connection)
{
	struct client *c = client_tunnel(connection, lines);
	if (strstr(c->in.p, want) == NULL)
		fail_msg("%s\nnot in\n%s", want, c->in.p);
	client_free(c);
	expect_lost(connection);
}

TEST(mtu_numbers_of_the_client)
{
	gateway_start();
	announces("X-CSTP-Base-MTU: 1400\r\n", "X-CSTP-MTU: 1334\r\n", 1);
	static const char *const nonsense[] = {"0", "1", "-1", "4294967296", "4294966752", "65536", "x", ""};
	for (uint32_t i = 0; i < N_ELEM(nonsense); i++) {
		char line[64];
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s\r\n", nonsense[i],
		        nonsense[i]);
		announces(line, "X-CSTP-MTU: 1434\r\n", 2 + i);
	}
	gateway_stop(false);
}

/* ---- mtu-policy classic ---- */

#define CLASSIC "group-policy GP attributes\n webvpn\n  anyconnect mtu-policy classic\n"

#define CISCO "mtu-formula cisco\n"

static void classic_start(const char *more)
{
	g.more_config = more;
	g.log_level = 6;
	gateway_start();
}

static void classic_stop(void)
{
	gateway_stop(false);
	g.more_config = NULL;
	g.log_level = 0;
}

static void classic_announces(const char *conf, const char *lines, const char *tls, const char *dtls)
{
	char want[64];
	classic_start(conf);
	struct client *c = client_tunnel(1, lines);
	snprintf(want, sizeof(want), "X-CSTP-MTU: %s\r\n", tls);
	if (strstr(c->in.p, want) == NULL)
		fail_msg("%s: %s not in\n%s", conf, want, c->in.p);
	snprintf(want, sizeof(want), "X-DTLS-MTU: %s\r\n", dtls);
	if (dtls[0] ? strstr(c->in.p, want) == NULL : strstr(c->in.p, "X-DTLS-") != NULL)
		fail_msg("%s: %s wanted in\n%s", conf, want, c->in.p);
	client_free(c);
	classic_stop();
}

TEST(classic_announces_two_values)
{
	/* the tech note's numbers, and its remedies */
	classic_announces(CLASSIC CISCO, PSK_LINE, "1347", "1418");
	classic_announces(CLASSIC CISCO "sysopt connection tcpmss 1460\n", PSK_LINE, "1427", "1418");
	classic_announces(CLASSIC "  anyconnect mtu 1300\n" CISCO, PSK_LINE, "1300", "1300");
	classic_announces(CLASSIC "  anyconnect mtu 1400\n" CISCO, PSK_LINE, "1347", "1400");
	classic_announces(CLASSIC "  anyconnect ssl dtls none\n" CISCO, PSK_LINE, "1347", "");
	classic_announces(CLASSIC CISCO, "", "1347", ""); /* a client without DTLS */
	/* MSS of the path: 1500 - 40; the digest of TLS_AES_256_GCM_SHA384 is 48 bytes: cisco-facts.md 1.3 */
	classic_announces(CLASSIC "mtu-formula cisco negotiated\nsysopt connection tcpmss 0\n", PSK_LINE,
	        "1367", "1390");
	/* TLS 1.3 adds 22 to 8 of CSTP; DTLS 1.2 AES-GCM 38 to 28 */
	classic_announces(CLASSIC, PSK_LINE, "1350", "1434");
	classic_announces(CLASSIC "mtu outside 1400\n", PSK_LINE, "1330", "1334");
	classic_announces(CLASSIC CISCO, "X-CSTP-Base-MTU: 1400\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\n",
	        "1347", "1306");
}

TEST(classic_mtu_numbers_of_the_client)
{
	static const char *const nonsense[] = {"0", "1", "-1", "-1500", "575", "4294967296", "4294966752",
	        "65536", "18446744073709551616", "1e3", "0x5dc", "1500x", "x", ""};
	classic_start(CLASSIC CISCO);
	for (uint32_t i = 0; i < N_ELEM(nonsense); i++) {
		char line[256];
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s\r\n%s", nonsense[i],
		        nonsense[i], PSK_LINE);
		announces(line, "X-CSTP-MTU: 1347\r\n", 1 + i);
	}
	/* whatever numbers: both values stay in their range, and small numbers are believed */
	uint32_t x = 20261126;
	for (uint32_t i = 0; i < 60; i++) {
		char line[128];
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		uint32_t base = i % 2 ? x : x % 3000;
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %u\r\n%s", base, PSK_LINE);
		struct client *c = client_tunnel(100 + i, line);
		const char *at = strstr(c->in.p, "X-DTLS-MTU: ");
		assert_non_null(at);
		unsigned dtls = (unsigned)strtoul(at + strlen("X-DTLS-MTU: "), NULL, 10);
		assert_in_range(dtls, 576, 1418);
		if (base >= 700 && base < 1500)
			assert_in_range(dtls, base - 28 - 70, base - 28 - 38);
		client_free(c);
		expect_lost(100 + i);
	}
	classic_stop();
}

static size_t df_packet(uint8_t *p, uint32_t src, uint32_t dst, size_t n)
{
	packet(p, src, dst, n, 7);
	p[6] = 0x40;
	return n;
}

static void tun_say(const uint8_t *p, size_t n)
{
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
}

static size_t tun_take(uint8_t *buf, size_t cap)
{
	assert_true(readable(g.tun, WAIT_MS));
	ssize_t n = read(g.tun, buf, cap);
	assert_true(n > 0);
	return (size_t)n;
}

/* The gateway's word about packet p of n bytes. */
static void is_too_big(const uint8_t *answer, size_t n_answer, uint16_t mtu, const uint8_t *p)
{
	struct ip_packet a;
	assert_int_equal(ip_parse(span_of(answer, n_answer), &a), 0);
	assert_int_equal(a.family, p[0] >> 4);
	if (a.family == 4) {
		assert_int_equal(addr_to_v4(&a.src), INNER_GATEWAY);
		assert_memory_equal(a.payload.p, "\x03\x04", 2);
		assert_memory_equal(a.dst.b, p + 12, 4);
	} else {
		assert_memory_equal(a.payload.p, "\x02\x00", 2);
		assert_memory_equal(a.dst.b, p + 8, 16);
	}
	assert_int_equal(a.payload.p[6] << 8 | a.payload.p[7], mtu);
	assert_memory_equal(a.payload.p + 8, p, 28);
}

TEST(classic_large_packets_to_the_client)
{
	uint8_t p[2000], q[2000];
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, PSK_LINE);
	size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1347);
	tun_say(p, n);
	cstp_expect(c, CSTP_DATA, p, n);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1348);
	tun_say(p, n);
	is_too_big(q, tun_take(q, sizeof(q)), 1347, p);
	assert_int_equal(
	        log_count("722036: Group <GP> User <alice> IP <127.0.0.1> Transmitting large packet 1348 "
	                  "(threshold 1347)."),
	        1);
	assert_int_equal(log_count("602101: PMTU-D packet 1348 bytes greater than effective mtu 1347, "
	                           "dest_addr=10.1.0.2, src_addr=10.1.0.254, prot=UDP"),
	        1);
	/* without DF: two pieces */
	n = packet(p, INNER_SERVER, INNER_CLIENT, 1418, 3);
	tun_say(p, n);
	assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 1340);
	assert_memory_equal(c->plain + CSTP_HEADER_BYTES + 20, p + 20, 1320);
	assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 98);
	assert_memory_equal(c->plain + CSTP_HEADER_BYTES + 20, p + 1340, 78);
	/* lengths that are not true reach nobody */
	n = packet(p, INNER_SERVER, INNER_CLIENT, 1418, 3);
	p[0] = 0x44;
	tun_say(p, n);
	/* DTLS: its own MTU */
	dtls_shake_hands(c);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1418);
	tun_say(p, n);
	dtls_expect(c, CSTP_DATA, p, n);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1419);
	tun_say(p, n);
	is_too_big(q, tun_take(q, sizeof(q)), 1418, p);
	dtls_carries_data(c);
	client_free(c);
	classic_stop();
}

/* A flood of packets that are too big is answered now and then, and logged now and then. */
TEST(classic_answers_are_limited)
{
	uint8_t p[2000], q[2000];
	unsigned n_answers = 0;
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, "");
	size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1500);
	for (int i = 0; i < 500; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		tun_say(p, n);
	}
	n = packet(p, INNER_SERVER, INNER_CLIENT, 100, 1); /* behind them all */
	tun_say(p, n);
	cstp_expect(c, CSTP_DATA, p, n);
	while (readable(g.tun, SILENCE_MS)) {
		tun_take(q, sizeof(q));
		n_answers++;
	}
	assert_in_range(n_answers, 10, 40);
	assert_in_range(log_count("722036"), 20, 40);
	assert_in_range(log_count("602101"), 10, 40);
	client_free(c);
	classic_stop();
}

TEST(classic_ip6_is_never_cut)
{
	uint8_t p[1420] = {0x60, 0, 0, 0, 0, 0, 59, 64, 0xfd}, q[2000];
	p[23] = 9;
	p[24] = 0xfd;
	p[39] = 7;
	p[4] = (1348 - 40) >> 8;
	p[5] = (1348 - 40) & 255;
	g.gives_ip6 = true;
	classic_start(CLASSIC "  anyconnect ssl df-bit-ignore enable\n" CISCO);
	struct client *c = client_tunnel(1, PSK_LINE);
	tun_say(p, 1348);
	is_too_big(q, tun_take(q, sizeof(q)), 1347, p);
	assert_int_equal(log_count("dest_addr=fd00::7, src_addr=fd00::9, prot=59"), 1);
	p[5]--;
	tun_say(p, 1347);
	cstp_expect(c, CSTP_DATA, p, 1347);
	/* extension headers that do not end, in one that is too big: no answer, no crash */
	p[5]++;
	p[6] = 0;
	memset(p + 40, 0, 1348 - 40);
	tun_say(p, 1348);
	tls_carries_data(c);
	client_free(c);
	g.gives_ip6 = false;
	classic_stop();
}

TEST(classic_large_packets_from_the_client)
{
	uint8_t p[2000], q[2000];
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, PSK_LINE);
	size_t n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1348);
	cstp_say(c, CSTP_DATA, p, n);
	assert_true(client_record(c) > CSTP_HEADER_BYTES);
	assert_int_equal(c->plain[6], CSTP_DATA);
	is_too_big(c->plain + CSTP_HEADER_BYTES, (size_t)(c->plain[4] << 8 | c->plain[5]), 1347, p);
	assert_int_equal(
	        log_count("722035: Group <GP> User <alice> IP <127.0.0.1> Received large packet 1348 "
	                  "(threshold 1347)."),
	        1);
	assert_int_equal(log_count("722036"), 0);
	n = packet(p, INNER_CLIENT, INNER_SERVER, 1418, 5);
	cstp_say(c, CSTP_DATA, p, n);
	assert_int_equal(tun_take(q, sizeof(q)), 1340);
	assert_memory_equal(q + 20, p + 20, 1320);
	assert_int_equal(tun_take(q, sizeof(q)), 98);
	assert_memory_equal(q + 20, p + 1340, 78);
	n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1347);
	cstp_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	dtls_shake_hands(c);
	n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1418);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	client_free(c);
	classic_stop();
}

TEST(classic_df_may_be_ignored)
{
	uint8_t p[2000], q[2000];
	uint16_t id[2];
	classic_start(CLASSIC "  anyconnect ssl df-bit-ignore enable\n" CISCO);
	struct client *c = client_tunnel(1, "");
	for (int i = 0; i < 2; i++) {
		size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1418);
		tun_say(p, n);
		assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 1340);
		assert_int_equal(c->plain[CSTP_HEADER_BYTES + 6], 0x20);
		id[i] = (uint16_t)(c->plain[CSTP_HEADER_BYTES + 4] << 8 | c->plain[CSTP_HEADER_BYTES + 5]);
		assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 98);
	}
	assert_true(id[0] != id[1]); /* the packets had the same */
	size_t n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1418);
	cstp_say(c, CSTP_DATA, p, n);
	assert_int_equal(tun_take(q, sizeof(q)), 1340);
	assert_int_equal(tun_take(q, sizeof(q)), 98);
	assert_int_equal(log_count("722036"), 0);
	assert_int_equal(log_count("722035"), 1);
	client_free(c);
	classic_stop();
}

/* ---- tcpmss ---- */

static size_t syn(uint8_t *p, uint32_t src, uint32_t dst, uint16_t mss)
{
	const uint8_t tcp[] = {0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2,
	        4, (uint8_t)(mss >> 8), (uint8_t)mss};
	size_t n = packet(p, src, dst, 20 + sizeof(tcp), 0);
	p[9] = IP_PROTO_TCP;
	memcpy(p + 20, tcp, sizeof(tcp));
	struct ip_addr s = addr_from_v4(src), d = addr_from_v4(dst);
	uint16_t sum = ip_fold(
	        ip_sum(ip_pseudo_sum(&s, &d, IP_PROTO_TCP, sizeof(tcp)), span_of(p + 20, sizeof(tcp))));
	p[36] = (uint8_t)(sum >> 8);
	p[37] = (uint8_t)sum;
	return n;
}

static void mss_becomes(struct client *c, uint16_t mss, uint16_t want)
{
	uint8_t p[64], q[64];
	size_t n = syn(p, INNER_CLIENT, INNER_SERVER, mss);
	cstp_say(c, CSTP_DATA, p, n);
	n = syn(q, INNER_CLIENT, INNER_SERVER, want);
	tun_expect(q, n);
	n = syn(p, INNER_SERVER, INNER_CLIENT, mss);
	tun_say(p, n);
	n = syn(q, INNER_SERVER, INNER_CLIENT, want);
	cstp_expect(c, CSTP_DATA, q, n);
}

TEST(the_mss_of_syns_is_limited)
{
	static const struct {
		const char *conf;
		uint16_t mss, want;
	} rows[] = {
	        {"", 1460, 1380},
	        {"", 1379, 1379},
	        {CLASSIC, 1460, 1380},
	        {"sysopt connection tcpmss 1200\n", 65495, 1200},
	        {"sysopt connection tcpmss 0\n", 1460, 1460},
	        {"sysopt connection tcpmss minimum 600\n", 536, 600},
	        {"sysopt connection tcpmss minimum 600\n", 1460, 1380},
	        {"sysopt connection tcpmss 0\nsysopt connection tcpmss minimum 600\n", 9000, 9000},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		g.more_config = rows[i].conf;
		gateway_start();
		struct client *c = client_tunnel(1, "");
		mss_becomes(c, rows[i].mss, rows[i].want);
		tls_carries_data(c);
		client_free(c);
		gateway_stop(false);
	}
	g.more_config = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(mtu_numbers_of_the_client),
	        cmocka_unit_test(classic_announces_two_values),
	        cmocka_unit_test(classic_mtu_numbers_of_the_client),
	        cmocka_unit_test(classic_large_packets_to_the_client),
	        cmocka_unit_test(classic_answers_are_limited),
	        cmocka_unit_test(classic_ip6_is_never_cut),
	        cmocka_unit_test(classic_large_packets_from_the_client),
	        cmocka_unit_test(classic_df_may_be_ignored),
	        cmocka_unit_test(the_mss_of_syns_is_limited),
	};
	return RUN_WORKER(tests);
}
