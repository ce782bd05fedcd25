#include "../unit.h"
#include "ip6_packet.h"

#include <errno.h>
#include <stdlib.h>

#include "base/wr.h"
#include "wire/ip.h"

/* RFC 1071 3: the example; and a well-known IPv4 header whose checksum is b861 */
static const uint8_t HEADER4[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61,
        0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static uint8_t buf[2048];

struct recipe4 {
	uint16_t fragment;
	uint8_t proto;
	uint32_t src, dst;
};

static struct span build4(const struct recipe4 *c, struct span payload)
{
	struct wr w = wr_open(buf, sizeof(buf));
	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)(20 + payload.n));
	wr_u16(&w, 0x1234);
	wr_u16(&w, c->fragment);
	wr_u8(&w, 64);
	wr_u8(&w, c->proto);
	wr_u16(&w, 0);
	wr_u32(&w, c->src ? c->src : 0x0a000001);
	wr_u32(&w, c->dst ? c->dst : 0xc0a80102);
	wr_put(&w, payload);
	return wr_span(&w);
}

static struct span build6(uint8_t next, struct span payload)
{
	return ip6_packet(buf, sizeof(buf), next, payload);
}

TEST(sums_are_those_of_the_rfc)
{
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	assert_int_equal((uint16_t)~ip_fold(ip_sum(0, span_of(rfc, sizeof(rfc)))), 0xddf2);
	assert_int_equal(ip_fold(ip_sum(0, span_of(HEADER4, sizeof(HEADER4)))), 0);
	assert_int_equal(ip_fold(ip_sum(0, span_of("\x01", 1))), 0xfeff);
	assert_int_equal(ip_fold(0), 0xffff);
	/* the naive sum, for every length and alignment */
	uint8_t bytes[80];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 73 + 200);
	for (size_t at = 0; at < 4; at++) {
		for (size_t n = 0; at + n <= sizeof(bytes); n++) {
			uint32_t want = 0x1ffff;
			for (size_t i = 0; i < n; i++)
				want += (uint32_t)bytes[at + i] << (i % 2 ? 0 : 8);
			assert_int_equal(ip_fold(ip_sum(0x1ffff, span_of(bytes + at, n))), ip_fold(want));
		}
	}
}

TEST(ip4_is_read)
{
	struct recipe4 c = {.proto = IP_PROTO_UDP, .fragment = 0x4000};
	struct span s = build4(&c, span_str("payload"));
	struct ip_packet p;
	assert_int_equal(ip_parse(s, &p), 0);
	assert_int_equal(p.family, 4);
	assert_int_equal(p.proto, IP_PROTO_UDP);
	assert_int_equal(p.header_bytes, 20);
	assert_int_equal(p.total_bytes, 27);
	assert_int_equal(addr_to_v4(&p.src), 0x0a000001);
	assert_int_equal(addr_to_v4(&p.dst), 0xc0a80102);
	assert_true(p.has_df && !p.is_fragment && !p.is_later_fragment);
	assert_true(span_is(p.payload, "payload"));
	/* trailing bytes are cut */
	buf[27] = 'x';
	assert_int_equal(ip_parse(span_of(buf, 28), &p), 0);
	assert_int_equal(p.payload.n, 7);
	c.fragment = 0x2000;
	assert_int_equal(ip_parse(build4(&c, span_str("payload")), &p), 0);
	assert_true(!p.has_df && p.is_fragment && !p.is_later_fragment);
	c.fragment = 1;
	assert_int_equal(ip_parse(build4(&c, span_str("payload")), &p), 0);
	assert_true(p.is_fragment && p.is_later_fragment);
}

TEST(ip4_lengths_are_checked)
{
	struct ip_packet p;
	struct recipe4 c = {.proto = IP_PROTO_UDP};
	build4(&c, span_str("payload"));
	buf[0] = 0x44;
	assert_int_equal(ip_parse(span_of(buf, 27), &p), ERR_MALFORMED);
	buf[0] = 0x46; /* options */
	assert_int_equal(ip_parse(span_of(buf, 27), &p), 0);
	assert_true(span_is(p.payload, "oad"));
	buf[0] = 0x47;
	assert_int_equal(ip_parse(span_of(buf, 27), &p), ERR_MALFORMED);
	buf[0] = 0x55;
	assert_int_equal(ip_parse(span_of(buf, 27), &p), ERR_MALFORMED);
	buf[0] = 0x45;
	buf[3] = 19;
	assert_int_equal(ip_parse(span_of(buf, 27), &p), ERR_MALFORMED);
	buf[3] = 20;
	assert_int_equal(ip_parse(span_of(buf, 27), &p), 0);
	assert_int_equal(p.payload.n, 0);
}

/* hop-by-hop, destination options of 16 bytes, fragment, then UDP */
static const uint8_t CHAIN[] = {60, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17,
        0, 0, 1, 0, 0, 0, 9, 'u', 'd', 'p'};

TEST(ip6_extensions_are_walked)
{
	struct ip_packet p;
	assert_int_equal(ip_parse(build6(0, span_of(CHAIN, sizeof(CHAIN))), &p), 0);
	assert_int_equal(p.family, 6);
	assert_int_equal(p.proto, IP_PROTO_UDP);
	assert_int_equal(p.header_bytes, 72);
	assert_true(span_is(p.payload, "udp"));
	assert_true(p.has_df && p.is_fragment && !p.is_later_fragment);
	buf[40 + 24 + 3] = 8; /* offset 1: what follows is data even if it is said to be a header */
	buf[40 + 24] = 60;
	assert_int_equal(ip_parse(span_of(buf, 75), &p), 0);
	assert_true(p.is_later_fragment);
	assert_int_equal(p.header_bytes, 72);
	buf[40 + 24 + 3] = 0; /* an atomic fragment */
	buf[40 + 24] = 17;
	assert_int_equal(ip_parse(span_of(buf, 75), &p), 0);
	assert_false(p.is_fragment);
}

TEST(ip6_chains_end)
{
	uint8_t chain[8 * 9] = {0};
	struct ip_packet p;
	for (size_t i = 0; i < 9; i++)
		chain[8 * i] = i == 7 ? 59 : 60;
	assert_int_equal(ip_parse(build6(60, span_of(chain, sizeof(chain))), &p), 0);
	assert_int_equal(p.header_bytes, 40 + 64);
	chain[8 * 7] = 60;
	chain[8 * 8] = 59;
	assert_int_equal(ip_parse(build6(60, span_of(chain, sizeof(chain))), &p), ERR_MALFORMED);
}

TEST(every_truncation_is_refused)
{
	for (int family = 4; family <= 6; family += 2) {
		struct recipe4 c = {.proto = IP_PROTO_UDP};
		struct span s = family == 4 ? build4(&c, span_str("payload"))
		                            : build6(0, span_of(CHAIN, sizeof(CHAIN)));
		struct ip_addr src, dst;
		struct ip_packet p;
		assert_int_equal(ip_addresses(s, &src, &dst), 0);
		assert_int_equal(ip_parse(s, &p), 0);
		assert_true(addr_eq(&src, &p.src) && addr_eq(&dst, &p.dst));
		for (size_t n = 0; n < s.n; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			memcpy(exact, s.p, n);
			assert_int_equal(ip_parse(span_of(exact, n), &p), ERR_MALFORMED);
			assert_int_equal(ip_addresses(span_of(exact, n), &src, &dst), ERR_MALFORMED);
			free(exact);
		}
	}
	/* the chain inside a shorter packet */
	for (size_t n = 0; n < 32; n++) {
		struct ip_packet p;
		assert_int_equal(ip_parse(build6(0, span_of(CHAIN, n)), &p), ERR_MALFORMED);
	}
}

static const struct ip_addr GATEWAY4 = {.family = 4, .b = {10, 0, 0, 254}};
static const struct ip_addr GATEWAY6 = {.family = 6, .b = {0xfd, [15] = 0xfe}};

TEST(too_big_is_said_over_ip4)
{
	static const struct {
		size_t payload, want;
	} rows[] = {{8, 56}, {528, 576}, {529, 576}, {1480, 576}};
	static const uint8_t zeros[1480];
	uint8_t answer[ICMP_TOO_BIG_MAX];
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct recipe4 c = {.proto = IP_PROTO_UDP, .fragment = 0x4000};
		struct ip_packet p;
		struct span s = build4(&c, span_of(zeros, rows[i].payload));
		assert_int_equal(icmp_too_big(s, &GATEWAY4, 1434, answer, sizeof(answer)), rows[i].want);
		assert_int_equal(icmp_too_big(s, &GATEWAY4, 1434, answer, rows[i].want), rows[i].want);
		assert_int_equal(icmp_too_big(s, &GATEWAY4, 1434, answer, rows[i].want - 1), -ENOBUFS);
		assert_int_equal(ip_parse(span_of(answer, rows[i].want), &p), 0);
		assert_int_equal(p.total_bytes, rows[i].want);
		assert_true(addr_eq(&p.src, &GATEWAY4));
		assert_int_equal(addr_to_v4(&p.dst), 0x0a000001);
		assert_int_equal(p.proto, IP_PROTO_ICMP);
		assert_int_equal(ip_fold(ip_sum(0, span_of(answer, 20))), 0);
		assert_int_equal(ip_fold(ip_sum(0, p.payload)), 0);
		assert_memory_equal(p.payload.p, "\x03\x04", 2);
		assert_memory_equal(p.payload.p + 4, "\x00\x00\x05\x9a", 4);
		assert_memory_equal(p.payload.p + 8, buf, p.payload.n - 8);
	}
}

TEST(too_big_is_said_over_ip6)
{
	static const struct {
		size_t payload, want;
	} rows[] = {{8, 96}, {1192, 1280}, {1193, 1280}, {1460, 1280}};
	static const uint8_t zeros[1460];
	uint8_t answer[ICMP_TOO_BIG_MAX];
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct ip_packet p;
		struct span s = build6(IP_PROTO_UDP, span_of(zeros, rows[i].payload));
		assert_int_equal(icmp_too_big(s, &GATEWAY6, 1414, answer, sizeof(answer)), rows[i].want);
		assert_int_equal(ip_parse(span_of(answer, rows[i].want), &p), 0);
		assert_int_equal(p.proto, IP_PROTO_ICMPV6);
		assert_int_equal(p.dst.b[15], 1);
		assert_memory_equal(p.payload.p, "\x02\x00", 2);
		assert_memory_equal(p.payload.p + 4, "\x00\x00\x05\x86", 4);
		uint32_t sum = ip_pseudo_sum(&p.src, &p.dst, IP_PROTO_ICMPV6, (uint32_t)p.payload.n);
		assert_int_equal(ip_fold(ip_sum(sum, p.payload)), 0);
	}
}

TEST(some_packets_get_no_answer)
{
	static const struct {
		struct recipe4 c;
		const char *payload;
		int want;
	} rows[] = {
	        {{.proto = IP_PROTO_ICMP}, "\x08", 29 + 20},
	        {{.proto = IP_PROTO_ICMP}, "\x03", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_ICMP}, "\x0b", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_ICMP}, "", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .fragment = 0x2000}, "x", 49},
	        {{.proto = IP_PROTO_UDP, .fragment = 0x2001}, "x", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .dst = 0xe0000001}, "x", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .dst = 0xffffffff}, "x", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .src = 0xe0000001}, "x", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .src = 0x7f000001}, "x", ERR_UNSUPPORTED},
	        {{.proto = IP_PROTO_UDP, .src = 0xffffffff}, "x", ERR_UNSUPPORTED},
	};
	uint8_t answer[ICMP_TOO_BIG_MAX];
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct span s = build4(&rows[i].c, span_str(rows[i].payload));
		assert_int_equal(icmp_too_big(s, &GATEWAY4, 1400, answer, sizeof(answer)), rows[i].want);
	}
	struct span s = build6(IP_PROTO_ICMPV6, span_str("\x01"));
	assert_int_equal(icmp_too_big(s, &GATEWAY6, 1400, answer, sizeof(answer)), ERR_UNSUPPORTED);
	s = build6(IP_PROTO_ICMPV6, span_str("\x80"));
	assert_int_equal(icmp_too_big(s, &GATEWAY6, 1400, answer, sizeof(answer)), 89);
	assert_int_equal(icmp_too_big(s, &GATEWAY4, 1400, answer, sizeof(answer)), ERR_UNSUPPORTED);
	buf[24] = 0xff; /* multicast */
	assert_int_equal(icmp_too_big(s, &GATEWAY6, 1400, answer, sizeof(answer)), ERR_UNSUPPORTED);
	assert_int_equal(icmp_too_big(span_str("x"), &GATEWAY6, 1400, answer, sizeof(answer)), ERR_MALFORMED);
}

/* A TCP segment with these options (a multiple of 4 bytes) and a right checksum, in IPv4 or IPv6. */
static size_t build_tcp(uint8_t family, uint8_t flags, struct span options)
{
	uint8_t tcp[60];
	struct wr w = wr_open(tcp, sizeof(tcp));
	wr_u32(&w, 0xc0000050);
	wr_u32(&w, 0x01020304);
	wr_u32(&w, 0);
	wr_u8(&w, (uint8_t)((20 + options.n) / 4 << 4));
	wr_u8(&w, flags);
	wr_u16(&w, 0xfaf0);
	wr_u32(&w, 0);
	wr_put(&w, options);
	struct recipe4 c = {.proto = IP_PROTO_TCP, .fragment = 0x4000};
	struct span s = family == 4 ? build4(&c, wr_span(&w)) : build6(IP_PROTO_TCP, wr_span(&w));
	struct ip_packet p;
	assert_int_equal(ip_parse(s, &p), 0);
	uint32_t sum = ip_pseudo_sum(&p.src, &p.dst, IP_PROTO_TCP, (uint32_t)p.payload.n);
	uint16_t check = ip_fold(ip_sum(sum, p.payload));
	buf[p.header_bytes + 16] = (uint8_t)(check >> 8);
	buf[p.header_bytes + 17] = (uint8_t)check;
	return s.n;
}

static bool checksum_ok(size_t bytes)
{
	struct ip_packet p;
	assert_int_equal(ip_parse(span_of(buf, bytes), &p), 0);
	uint32_t sum = ip_pseudo_sum(&p.src, &p.dst, IP_PROTO_TCP, (uint32_t)p.payload.n);
	return ip_fold(ip_sum(sum, p.payload)) == 0;
}

#define OPTIONS(s) span_of(s, sizeof(s) - 1)

TEST(the_mss_is_lowered_and_the_checksum_stays_right)
{
	const struct {
		struct span options;
		size_t at; /* of the value, in the options */
	} rows[] = {
	        {OPTIONS("\x02\x04\x05\xb4"), 2}, {OPTIONS("\x01\x02\x04\x05\xb4\x01\x01\x01"), 3},
	        {OPTIONS("\x04\x02\x08\x0a"
	                 "12345678"
	                 "\x01\x02\x04\x05\xb4\x01\x00\x00"),
	                15},
	        {OPTIONS("\x01\x01\x02\x04\x05\xb4\x00\xff"), 4}, /* nothing counts behind the end */
	};
	for (uint8_t family = 4; family <= 6; family += 2) {
		for (size_t i = 0; i < N_ELEM(rows); i++) {
			for (unsigned mss = 0; mss <= 1460; mss += 5) {
				size_t n = build_tcp(family, 0x02, rows[i].options);
				size_t at = (family == 4 ? 40 : 60) + rows[i].at;
				assert_true(checksum_ok(n));
				assert_int_equal(tcp_clamp_mss(buf, n, (uint16_t)mss), mss < 1460);
				assert_true(checksum_ok(n));
				assert_int_equal(buf[at] << 8 | buf[at + 1], mss);
			}
		}
	}
}

TEST(the_mss_is_kept_in_a_range)
{
	static const struct {
		uint16_t min, max, mss, want;
	} rows[] = {
	        {0, 1380, 1460, 1380},
	        {0, 1380, 1380, 1380},
	        {0, 1380, 536, 536},
	        {0, 0, 65495, 65495},
	        {0, 0, 0, 0},
	        {600, 0, 536, 600},
	        {600, 0, 601, 601},
	        {600, 1380, 0, 600},
	        {600, 1380, 65535, 1380},
	        {1400, 1380, 500, 1380},
	        {1400, 1380, 1500, 1380},
	};
	for (uint8_t family = 4; family <= 6; family += 2) {
		for (size_t i = 0; i < N_ELEM(rows); i++) {
			const uint8_t option[] = {2, 4, (uint8_t)(rows[i].mss >> 8), (uint8_t)rows[i].mss};
			size_t n = build_tcp(family, i % 2 ? 0x02 : 0x12, span_of(option, sizeof(option)));
			bool is_changed = tcp_fit_mss(buf, n, rows[i].min, rows[i].max);
			assert_int_equal(is_changed, rows[i].mss != rows[i].want);
			assert_true(checksum_ok(n));
			assert_int_equal(buf[n - 2] << 8 | buf[n - 1], rows[i].want);
			assert_true(tcp_is_syn(span_of(buf, n)));
		}
	}
	size_t n = build_tcp(4, 0x10, OPTIONS("\x02\x04\x05\xb4"));
	assert_false(tcp_is_syn(span_of(buf, n)));
	n = build_tcp(4, 0x02, OPTIONS("\x02\x05\x05\xb4")); /* an option beyond the header */
	assert_false(tcp_is_syn(span_of(buf, n)));
	assert_false(tcp_fit_mss(buf, n, 2000, 2000));
	n = build_tcp(4, 0x02, OPTIONS("")); /* none: not one of ours to add */
	assert_false(tcp_fit_mss(buf, n, 2000, 2000));
}

/* A SYN behind hop-by-hop options is one too. */
TEST(syns_are_found_behind_extensions)
{
	uint8_t body[8 + 24] = {IP_PROTO_TCP, 0, 1, 4};
	size_t n = build_tcp(6, 0x02, OPTIONS("\x02\x04\x05\xb4"));
	memcpy(body + 8, buf + 40, 24);
	n = build6(0, span_of(body, sizeof(body))).n;
	assert_true(tcp_is_syn(span_of(buf, n)));
	assert_true(tcp_fit_mss(buf, n, 0, 1000));
	assert_true(checksum_ok(n));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(tcp_is_syn(span_of(buf, cut)));
	buf[48 + 13] = 0x10;
	assert_false(tcp_is_syn(span_of(buf, n)));
}

TEST(segments_that_must_stay_stay)
{
	const struct {
		uint8_t flags;
		struct span options;
	} rows[] = {
	        {0x10, OPTIONS("\x02\x04\x05\xb4")},                 /* no SYN */
	        {0x02, OPTIONS("")},                                 /* no option */
	        {0x02, OPTIONS("\x02\x04\x03\x00")},                 /* small enough */
	        {0x02, OPTIONS("\x02\x03\x05\x01")},                 /* bad length */
	        {0x02, OPTIONS("\x02\x05\x05\xb4\x00\x00\x00\x00")}, /* bad length */
	        {0x02, OPTIONS("\x02\x04\x05\xb4\x08\x00\x00\x00")}, /* an option of length 0 behind it */
	        {0x02, OPTIONS("\x02\x04\x05\xb4\x08\x01\x00\x00")},
	        {0x02, OPTIONS("\x02\x04\x05\xb4\x08\x05\x00\x00")}, /* beyond the header */
	        {0x02, OPTIONS("\x02\x04\x05\xb4\x01\x01\x01\x08")}, /* no length */
	        {0x02, OPTIONS("\x00\x00\x00\x00\x02\x04\x05\xb4")}, /* behind the end */
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		uint8_t before[128];
		size_t n = build_tcp(4, rows[i].flags, rows[i].options);
		memcpy(before, buf, n);
		assert_false(tcp_clamp_mss(buf, n, 1000));
		assert_memory_equal(before, buf, n);
	}
	size_t n = build_tcp(4, 0x12, OPTIONS("\x02\x04\x05\xb4"));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(tcp_clamp_mss(buf, cut, 1000));
	buf[6] = 0x20; /* a fragment */
	assert_false(tcp_clamp_mss(buf, n, 1000));
	buf[6] = 0x40;
	buf[32] = 0xf0; /* a data offset beyond the packet, one below the header */
	assert_false(tcp_clamp_mss(buf, n, 1000));
	buf[32] = 0x40;
	assert_false(tcp_clamp_mss(buf, n, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sums_are_those_of_the_rfc),
	        cmocka_unit_test(ip4_is_read),
	        cmocka_unit_test(ip4_lengths_are_checked),
	        cmocka_unit_test(ip6_extensions_are_walked),
	        cmocka_unit_test(ip6_chains_end),
	        cmocka_unit_test(every_truncation_is_refused),
	        cmocka_unit_test(too_big_is_said_over_ip4),
	        cmocka_unit_test(too_big_is_said_over_ip6),
	        cmocka_unit_test(some_packets_get_no_answer),
	        cmocka_unit_test(the_mss_is_lowered_and_the_checksum_stays_right),
	        cmocka_unit_test(the_mss_is_kept_in_a_range),
	        cmocka_unit_test(syns_are_found_behind_extensions),
	        cmocka_unit_test(segments_that_must_stay_stay),
	};
	return RUN(tests);
}
