#include "../unit.h"
#include "ip6_packet.h"

#include <errno.h>
#include <stdlib.h>

#include "base/wr.h"
#include "wire/ip.h"
#include "wire/ip_fragment.h"

#define DF 0x4000
#define MF 0x2000
#define ID 0x1234

static uint8_t packet[65536], whole[65536 + 8];

struct recipe {
	uint16_t fragment;   /* flags and offset */
	struct span options; /* a multiple of 4 bytes */
	size_t payload_bytes;
};

static struct span build(const struct recipe *c)
{
	struct wr w = wr_open(packet, sizeof(packet));
	size_t header_bytes = IP4_HEADER_BYTES + c->options.n;
	wr_u8(&w, (uint8_t)(0x40 | header_bytes / 4));
	wr_u8(&w, 0xb8); /* must be in every fragment */
	wr_u16(&w, (uint16_t)(header_bytes + c->payload_bytes));
	wr_u16(&w, ID);
	wr_u16(&w, c->fragment);
	wr_u16(&w, 63 << 8 | IP_PROTO_UDP);
	wr_u16(&w, 0);
	wr_u32(&w, 0x0a0a0202);
	wr_u32(&w, 0x0a0a0802);
	wr_put(&w, c->options);
	for (size_t i = 0; i < c->payload_bytes; i++)
		wr_u8(&w, (uint8_t)(i * 31 + i / 251));
	assert_true(wr_ok(&w));
	uint16_t check = ip_fold(ip_sum(0, span_of(packet, header_bytes)));
	packet[10] = (uint8_t)(check >> 8);
	packet[11] = (uint8_t)check;
	return wr_span(&w);
}

/* Cuts the packet, checks every piece by itself, puts the pieces together again and compares. Returns how
 * many pieces there were. */
static unsigned cut_and_check(struct span s, uint16_t mtu, uint16_t id)
{
	struct ip_packet in, p;
	struct ip_fragmenter f;
	unsigned n_pieces = 0;
	size_t at = 0;
	int n;
	assert_int_equal(ip_parse(s, &in), 0);
	assert_int_equal(ip_fragment_init(&f, s, mtu, id), 0);
	uint8_t *piece = malloc(mtu); /* exactly, so that a sanitizer sees a byte too many */
	uint16_t fragment = be16_get(s.p + 6), last_flags = 0;
	while ((n = ip_fragment_next(&f, piece, mtu)) > 0) {
		assert_in_range(n, IP4_HEADER_BYTES, mtu);
		assert_int_equal(ip_parse(span_of(piece, (size_t)n), &p), 0);
		assert_int_equal(p.total_bytes, n);
		assert_false(p.has_df);
		assert_int_equal(ip_fold(ip_sum(0, span_of(piece, p.header_bytes))), 0);
		assert_int_equal(be16_get(piece + 4), id);
		assert_true(addr_eq(&p.src, &in.src) && addr_eq(&p.dst, &in.dst));
		assert_int_equal(piece[1], s.p[1]);
		assert_int_equal(piece[8], s.p[8]);
		assert_int_equal(p.proto, in.proto);
		uint16_t flags = be16_get(piece + 6);
		assert_int_equal((flags & 0x1fff) * 8, (fragment & 0x1fff) * 8 + at);
		if (n_pieces > 0)
			assert_true(last_flags & MF);
		last_flags = flags;
		memcpy(whole + at, p.payload.p, p.payload.n);
		at += p.payload.n;
		if (at < in.payload.n) /* only the last may end anywhere */
			assert_int_equal(p.payload.n % 8, 0);
		n_pieces++;
	}
	assert_int_equal(n, 0);
	assert_int_equal(ip_fragment_next(&f, piece, mtu), 0); /* and remains at the end */
	assert_int_equal(at, in.payload.n);
	assert_memory_equal(whole, in.payload.p, at);
	assert_int_equal(last_flags & MF, fragment & MF);
	free(piece);
	return n_pieces;
}

TEST(pieces_are_those_of_the_rfc)
{
	/* the tech note's packet on the tech note's tunnel: 1418 bytes, TLS MTU 1347 */
	struct span s = build(&(struct recipe){.payload_bytes = 1398});
	struct ip_fragmenter f;
	uint8_t piece[1347];
	assert_int_equal(ip_fragment_init(&f, s, 1347, 9), 0);
	assert_int_equal(ip_fragment_next(&f, piece, 1339), -ENOBUFS);
	assert_int_equal(ip_fragment_next(&f, piece, 1340), 1340); /* 20 + 165 * 8 */
	assert_int_equal(be16_get(piece + 6), MF);
	assert_int_equal(be16_get(piece + 4), ID); /* it had none of DF: its own identification */
	assert_memory_equal(piece + 20, packet + 20, 1320);
	assert_int_equal(ip_fragment_next(&f, piece, sizeof(piece)), 98);
	assert_int_equal(be16_get(piece + 6), 165);
	assert_memory_equal(piece + 20, packet + 1340, 78);
	assert_int_equal(ip_fragment_next(&f, piece, sizeof(piece)), 0);
}

TEST(every_size_and_mtu)
{
	static const uint16_t mtus[] = {28, 29, 35, 36, 68, 576, 577, 583, 1280, 1347, 1418, 1500};
	static const size_t payloads[] = {0, 1, 7, 8, 9, 16, 555, 556, 557, 1398, 1480, 1481, 9000, 65515};
	for (size_t i = 0; i < N_ELEM(mtus); i++) {
		for (size_t k = 0; k < N_ELEM(payloads); k++) {
			struct span s = build(&(struct recipe){.payload_bytes = payloads[k]});
			size_t room = mtus[i] - 20u, unit = room / 8 * 8;
			size_t want = payloads[k] <= room ? 1 : 1 + (payloads[k] - room + unit - 1) / unit;
			assert_int_equal(cut_and_check(s, mtus[i], ID), want);
		}
	}
}

TEST(fragments_are_cut_further)
{
	static const uint16_t fragments[] = {MF, MF | 1, MF | 100, 1, 185, 8000};
	for (size_t i = 0; i < N_ELEM(fragments); i++) {
		for (size_t n = 1; n < 1500; n += 13) {
			struct recipe c = {.fragment = fragments[i], .payload_bytes = n};
			cut_and_check(build(&c), 576, ID);
		}
	}
	/* twice: the pieces of pieces still come to the same datagram */
	struct ip_fragmenter f;
	static uint8_t piece[1400];
	static uint8_t again[65536];
	size_t at = 0;
	struct span s = build(&(struct recipe){.payload_bytes = 5000});
	assert_int_equal(ip_fragment_init(&f, s, sizeof(piece), 0), 0);
	for (int n; (n = ip_fragment_next(&f, piece, sizeof(piece))) > 0;) {
		struct ip_fragmenter g;
		uint8_t small[300];
		assert_int_equal(ip_fragment_init(&g, span_of(piece, (size_t)n), sizeof(small), 0), 0);
		for (int m; (m = ip_fragment_next(&g, small, sizeof(small))) > 0;) {
			size_t to = (be16_get(small + 6) & 0x1fffu) * 8;
			assert_int_equal(to, at);
			memcpy(again + to, small + 20, (size_t)m - 20);
			at += (size_t)m - 20;
			assert_int_equal((be16_get(small + 6) & MF) != 0, at < 5000);
		}
	}
	assert_int_equal(at, 5000);
	assert_memory_equal(again, s.p + 20, 5000);
}

/* With DF the identification may be the same in every packet of a host. */
TEST(df_packets_get_an_identification)
{
	struct span s = build(&(struct recipe){.fragment = DF, .payload_bytes = 1398});
	assert_int_equal(cut_and_check(s, 1347, 0x4711), 2);
	/* a fragment with DF belongs to the others of its datagram */
	s = build(&(struct recipe){.fragment = DF | MF | 10, .payload_bytes = 1400});
	assert_int_equal(cut_and_check(s, 1347, ID), 2);
}

#define BYTES(s) span_of(s, sizeof(s) - 1)

TEST(only_some_options_are_copied)
{
	const struct {
		struct span options, later; /* of the packet; of the second piece */
	} good[] = {
	        {BYTES("\x01\x01\x01\x01"), {0}},
	        {BYTES("\x07\x07\x04\x00\x00\x00\x00\x00"), {0}}, /* record route: in the first only */
	        {BYTES("\x83\x07\x04\x01\x02\x03\x04\x00"),
	                BYTES("\x83\x07\x04\x01\x02\x03\x04\x00")}, /* loose source route: in all */
	        {BYTES("\x01\x94\x04\x00\x00\x00\x00\x00"), BYTES("\x94\x04\x00\x00")}, /* router alert */
	        {BYTES("\x07\x03\x04\x94\x04\x00\x00\x01"), BYTES("\x94\x04\x00\x00")},
	        {BYTES("\x00\x94\x04\x00"), {0}}, /* nothing counts behind the end */
	};
	const struct span bad[] = {BYTES("\x01\x01\x01\x94"), BYTES("\x94\x00\x00\x00"),
	        BYTES("\x94\x01\x00\x00"), BYTES("\x94\x05\x00\x00"), BYTES("\x07\x05\x00\x00")};
	struct ip_fragmenter f;
	uint8_t piece[576];
	for (size_t i = 0; i < N_ELEM(good); i++) {
		struct span s = build(&(struct recipe){.options = good[i].options, .payload_bytes = 1000});
		assert_int_equal(ip_fit(s, 576, false), IP_FRAGMENT);
		assert_int_equal(ip_fragment_init(&f, s, 576, 0), 0);
		assert_true(ip_fragment_next(&f, piece, sizeof(piece)) > 0);
		assert_memory_equal(piece + 20, good[i].options.p, good[i].options.n);
		assert_true(ip_fragment_next(&f, piece, sizeof(piece)) > 0);
		assert_int_equal((piece[0] & 15) * 4, 20 + good[i].later.n);
		if (good[i].later.n > 0)
			assert_memory_equal(piece + 20, good[i].later.p, good[i].later.n);
		cut_and_check(s, 576, ID);
		cut_and_check(s, 101, ID);
	}
	for (size_t i = 0; i < N_ELEM(bad); i++) {
		struct span s = build(&(struct recipe){.options = bad[i], .payload_bytes = 1000});
		assert_int_equal(ip_fit(s, 576, false), IP_BROKEN);
		assert_int_equal(ip_fragment_init(&f, s, 576, 0), ERR_MALFORMED);
	}
}

/* Random packets, MTUs, options; the seed is fixed. */
TEST(what_is_cut_comes_together_again)
{
	const struct span options[] = {{0}, BYTES("\x94\x04\x00\x00"),
	        BYTES("\x07\x07\x04\x00\x00\x00\x00\x00"),
	        BYTES("\x44\x0c\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x94\x04\x00\x00")};
	uint32_t x = 20260101;
	for (int i = 0; i < 3000; i++) {
		uint32_t v[4];
		for (size_t k = 0; k < N_ELEM(v); k++) {
			x ^= x << 13, x ^= x >> 17, x ^= x << 5;
			v[k] = x;
		}
		struct recipe c = {.options = options[v[0] % N_ELEM(options)], .payload_bytes = v[1] % 4000};
		c.fragment = (uint16_t)(v[2] % 3 == 0   ? v[2] % 2 * MF | (v[2] >> 16) % 7000
		                        : v[2] % 3 == 1 ? DF
		                                        : 0);
		uint16_t mtu = (uint16_t)(IP4_HEADER_MAX_BYTES + 8 + v[3] % 1500);
		struct span s = build(&c);
		cut_and_check(s, mtu, c.fragment == DF ? 77 : ID);
		enum ip_fit want = s.n <= mtu ? IP_FITS : c.fragment == DF ? IP_TOO_BIG : IP_FRAGMENT;
		assert_int_equal(ip_fit(s, mtu, false), want);
		assert_int_equal(ip_fit(s, mtu, true), want == IP_TOO_BIG ? IP_FRAGMENT : want);
	}
}

static struct span build6(uint8_t next, struct span payload)
{
	return ip6_packet(packet, sizeof(packet), next, payload);
}

TEST(ip6_is_never_cut)
{
	static uint8_t body[1400];
	struct ip_fragmenter f;
	for (int ignores_df = 0; ignores_df < 2; ignores_df++) {
		memset(body, 0, sizeof(body));
		struct span s = build6(IP_PROTO_UDP, span_of(body, sizeof(body)));
		assert_int_equal(ip_fit(s, 1440, ignores_df), IP_FITS);
		assert_int_equal(ip_fit(s, 1439, ignores_df), IP_TOO_BIG);
		assert_int_equal(ip_fragment_init(&f, s, 1280, 0), ERR_UNSUPPORTED);
		body[0] = IP_PROTO_UDP; /* behind hop-by-hop options, and as a fragment */
		assert_int_equal(
		        ip_fit(build6(0, span_of(body, sizeof(body))), 1280, ignores_df), IP_TOO_BIG);
		assert_int_equal(
		        ip_fit(build6(44, span_of(body, sizeof(body))), 1280, ignores_df), IP_TOO_BIG);
		body[1] = 255; /* options that end behind the packet */
		assert_int_equal(ip_fit(build6(0, span_of(body, sizeof(body))), 1280, ignores_df), IP_BROKEN);
		memset(body, 0, sizeof(body)); /* an endless chain */
		assert_int_equal(ip_fit(build6(0, span_of(body, sizeof(body))), 1280, ignores_df), IP_BROKEN);
		assert_int_equal(ip_fit(build6(0, span_of(body, sizeof(body))), 1440, ignores_df), IP_FITS);
	}
}

TEST(broken_packets_are_refused)
{
	struct ip_fragmenter f;
	struct span s = build(&(struct recipe){.payload_bytes = 1000});
	assert_int_equal(ip_fit(s, 1020, false), IP_FITS);
	assert_int_equal(ip_fit(s, 1019, false), IP_FRAGMENT);
	assert_int_equal(ip_fit(s, 28, false), IP_FRAGMENT);
	assert_int_equal(ip_fit(s, 27, false), IP_TOO_BIG); /* no room for a piece */
	assert_int_equal(ip_fit(s, 0, false), IP_TOO_BIG);
	assert_int_equal(ip_fit(span_of(NULL, 0), 0, false), IP_FITS);
	for (size_t n = 577; n < s.n; n++) { /* shorter than it says */
		assert_int_equal(ip_fit(span_of(s.p, n), 576, true), IP_BROKEN);
		assert_int_equal(ip_fragment_init(&f, span_of(s.p, n), 576, 0), ERR_MALFORMED);
	}
	for (unsigned version = 0; version < 16; version++) {
		packet[0] = (uint8_t)(version << 4 | 5);
		if (version != 4 && version != 6)
			assert_int_equal(ip_fit(s, 576, true), IP_BROKEN);
	}
	packet[0] = 0x44;
	assert_int_equal(ip_fit(s, 576, true), IP_BROKEN);
	/* longer than it says: what counts is what it says */
	s = build(&(struct recipe){.payload_bytes = 500});
	assert_int_equal(ip_fit(span_of(packet, 600), 576, false), IP_FITS);
	assert_int_equal(cut_and_check(span_of(packet, 600), 300, ID), 2);
	/* an end behind the largest datagram ("ping of death") */
	s = build(&(struct recipe){.fragment = 0x1fff, .payload_bytes = 1000});
	assert_int_equal(ip_fit(s, 576, false), IP_BROKEN);
	s = build(&(struct recipe){.fragment = 8191 - 124, .payload_bytes = 999});
	assert_int_equal(cut_and_check(s, 576, ID), 2);
	s = build(&(struct recipe){.fragment = 8191 - 124, .payload_bytes = 1000});
	assert_int_equal(ip_fit(s, 576, false), IP_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pieces_are_those_of_the_rfc),
	        cmocka_unit_test(every_size_and_mtu),
	        cmocka_unit_test(fragments_are_cut_further),
	        cmocka_unit_test(df_packets_get_an_identification),
	        cmocka_unit_test(only_some_options_are_copied),
	        cmocka_unit_test(what_is_cut_comes_together_again),
	        cmocka_unit_test(ip6_is_never_cut),
	        cmocka_unit_test(broken_packets_are_refused),
	};
	return RUN(tests);
}
