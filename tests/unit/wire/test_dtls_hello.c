#include "../unit.h"

#include <stdlib.h>

#include "base/wr.h"
#include "wire/dtls_hello.h"

/* A ClientHello as openconnect 9.01 sends it (wire-protocol.md 4.3); what a test wants different is set
 * before. */
struct recipe {
	uint16_t record_version, hello_version, epoch;
	uint8_t handshake_type;
	size_t id_bytes, cookie_bytes, n_suites, app_id_bytes, app_ids;
	bool has_no_extensions;
	uint32_t fragment_at, fragment_less;
	uint8_t random_byte;
	uint8_t compressions;
};

static const struct recipe OPENCONNECT = {
        .record_version = 0xfeff,
        .hello_version = 0xfefd,
        .handshake_type = 1,
        .id_bytes = 32,
        .n_suites = 8,
        .random_byte = 0x5a,
        .compressions = 1,
};

static uint8_t buf[1024];

static void put_fill(struct wr *w, size_t n, uint8_t v)
{
	for (size_t i = 0; i < n; i++)
		wr_u8(w, v);
}

static void put_extensions(struct wr *w, const struct recipe *c)
{
	uint8_t ext_buf[256];
	struct wr e = wr_open(ext_buf, sizeof(ext_buf));
	wr_u16(&e, 0x0023); /* session_ticket */
	wr_u16(&e, 0);
	wr_u16(&e, 0xff01); /* renegotiation_info */
	wr_u16(&e, 1);
	wr_u8(&e, 0);
	for (size_t i = 0; i < c->app_ids; i++) {
		wr_u16(&e, 48018);
		wr_u16(&e, (uint16_t)(c->app_id_bytes + 1));
		wr_u8(&e, (uint8_t)c->app_id_bytes);
		put_fill(&e, c->app_id_bytes, 0xbb);
	}
	wr_u16(w, (uint16_t)e.n);
	wr_put(w, wr_span(&e));
}

static struct span build(const struct recipe *c)
{
	static uint8_t hello_buf[512];
	struct wr h = wr_open(hello_buf, sizeof(hello_buf));
	wr_u16(&h, c->hello_version);
	put_fill(&h, 32, c->random_byte);
	wr_u8(&h, (uint8_t)c->id_bytes);
	put_fill(&h, c->id_bytes, 0xaa);
	wr_u8(&h, (uint8_t)c->cookie_bytes);
	put_fill(&h, c->cookie_bytes, 0xcc);
	wr_u16(&h, (uint16_t)(2 * c->n_suites));
	for (size_t i = 0; i < c->n_suites; i++)
		wr_u16(&h, 0x00a9);
	wr_u8(&h, c->compressions);
	put_fill(&h, c->compressions, 0);
	if (!c->has_no_extensions)
		put_extensions(&h, c);

	struct wr w = wr_open(buf, sizeof(buf));
	wr_u8(&w, DTLS_HANDSHAKE);
	wr_u16(&w, c->record_version);
	wr_u16(&w, c->epoch);
	wr_u48(&w, 5);
	wr_u16(&w, (uint16_t)(12 + h.n));
	wr_u8(&w, c->handshake_type);
	wr_u24(&w, (uint32_t)h.n);
	wr_u16(&w, 0);
	wr_u24(&w, c->fragment_at);
	wr_u24(&w, (uint32_t)h.n - c->fragment_less);
	wr_put(&w, wr_span(&h));
	assert_true(wr_ok(&w) && wr_ok(&h));
	return wr_span(&w);
}

static int parse(const struct recipe *c, struct dtls_hello *ret)
{
	return dtls_hello_parse(build(c), ret);
}

TEST(openconnects_hello_is_read)
{
	struct dtls_hello h;
	assert_int_equal(parse(&OPENCONNECT, &h), 0);
	assert_int_equal(h.id.n, 32);
	assert_int_equal(h.id.p[0], 0xaa);
	assert_int_equal(h.suites.n, 16);
	assert_int_equal(h.random.n, 32);
	assert_int_equal(h.random.p[31], 0x5a);
	assert_false(h.has_cookie || h.is_zero_random);
}

TEST(every_truncation_is_refused)
{
	struct span whole = build(&OPENCONNECT);
	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct dtls_hello h = {.has_cookie = true};
		memcpy(exact, whole.p, n);
		assert_int_equal(
		        dtls_hello_parse(span_of(exact, n), &h), n == 0 ? ERR_UNSUPPORTED : ERR_MALFORMED);
		assert_true(h.has_cookie);
		free(exact);
	}
}

TEST(the_private_extension_names_the_session)
{
	struct recipe c = OPENCONNECT;
	struct dtls_hello h;
	c.app_ids = 1;
	for (c.app_id_bytes = 0; c.app_id_bytes <= 33; c.app_id_bytes++) {
		bool fits = c.app_id_bytes >= 1 && c.app_id_bytes <= 32;
		assert_int_equal(parse(&c, &h), fits ? 0 : ERR_MALFORMED);
		if (fits)
			assert_true(h.id.n == c.app_id_bytes && h.id.p[0] == 0xbb);
	}
	c.app_id_bytes = 8;
	c.id_bytes = 0;
	assert_int_equal(parse(&c, &h), 0);
	c.app_ids = 2;
	assert_int_equal(parse(&c, &h), ERR_MALFORMED);
}

TEST(hellos_that_are_off_are_refused)
{
	struct dtls_hello h;
	struct recipe c;
#define EXPECT(want, change) (c = OPENCONNECT, change, assert_int_equal(parse(&c, &h), want))
	EXPECT(0, c.record_version = 0x0100);
	EXPECT(0, c.hello_version = 0x0100);
	EXPECT(0, c.cookie_bytes = 20);
	assert_true(h.has_cookie);
	EXPECT(0, c.random_byte = 0);
	assert_true(h.is_zero_random);
	EXPECT(0, c.has_no_extensions = true);
	EXPECT(0, c.id_bytes = 16);
	EXPECT(ERR_MALFORMED, c.record_version = 0x0303);
	EXPECT(ERR_MALFORMED, c.hello_version = 0x0303);
	EXPECT(ERR_UNSUPPORTED, c.epoch = 1);
	EXPECT(ERR_UNSUPPORTED, c.handshake_type = 16);
	EXPECT(ERR_MALFORMED, c.id_bytes = 0);
	EXPECT(ERR_MALFORMED, c.id_bytes = 33);
	EXPECT(ERR_MALFORMED, c.n_suites = 0);
	EXPECT(ERR_MALFORMED, c.compressions = 0);
	EXPECT(ERR_MALFORMED, c.fragment_at = 1);
	EXPECT(ERR_MALFORMED, c.fragment_less = 1);
#undef EXPECT
}

TEST(short_hellos_get_no_answer)
{
	/* 13 + 12 + 2 + 32 + 1 + id + 1 + 2 + 2 + 2 without extensions */
	struct recipe c = OPENCONNECT;
	struct dtls_hello h;
	c.has_no_extensions = true;
	c.n_suites = 1;
	c.id_bytes = DTLS_HELLO_MIN_BYTES - 67;
	assert_int_equal(build(&c).n, DTLS_HELLO_MIN_BYTES);
	assert_int_equal(parse(&c, &h), 0);
	c.id_bytes--;
	assert_int_equal(parse(&c, &h), ERR_MALFORMED);
}

TEST(odd_lengths_inside_are_refused)
{
	struct dtls_hello h;
	struct span s = build(&OPENCONNECT);
	size_t at_suites = 13 + 12 + 2 + 32 + 1 + 32 + 1;
	buf[at_suites + 1]--; /* suites of odd length: one byte slides into the compressions */
	assert_int_equal(dtls_hello_parse(s, &h), ERR_MALFORMED);
	s = build(&OPENCONNECT);
	buf[s.n - 1 - 9]++; /* the length of the extensions, low byte */
	assert_int_equal(dtls_hello_parse(s, &h), ERR_MALFORMED);
	s = build(&OPENCONNECT);
	buf[s.n - 2]++; /* the length of the last extension */
	assert_int_equal(dtls_hello_parse(s, &h), ERR_MALFORMED);
}

TEST(records_are_taken_one_by_one)
{
	uint8_t two[] = {20, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 2, 0, 1, 1, 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0,
	        3, 0, 0};
	struct span rest = span_of(two, sizeof(two));
	struct dtls_record r;
	assert_int_equal(dtls_record_take(&rest, &r), 0);
	assert_int_equal(r.type, DTLS_CCS);
	assert_int_equal(r.epoch, 1);
	assert_int_equal(r.seq, 0x102);
	assert_int_equal(r.body.n, 1);
	assert_int_equal(dtls_record_take(&rest, &r), 0);
	assert_int_equal(r.type, DTLS_APPDATA);
	assert_int_equal(r.version, 0xfefd);
	assert_int_equal(r.body.n, 0);
	assert_int_equal(dtls_record_take(&rest, &r), ERR_MALFORMED);
	for (size_t n = 0; n < 14; n++) {
		rest = span_of(two, n);
		assert_int_equal(dtls_record_take(&rest, &r), ERR_MALFORMED);
		assert_int_equal(rest.n, n);
	}
}

TEST(other_datagrams_are_something_else)
{
	struct dtls_hello h;
	assert_int_equal(dtls_hello_parse(span_str("\x17\xfe\xfd"), &h), ERR_UNSUPPORTED);
	assert_int_equal(dtls_hello_parse(span_str("GET /"), &h), ERR_UNSUPPORTED);
	assert_int_equal(dtls_hello_parse(span_str("\x16"), &h), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(openconnects_hello_is_read),
	        cmocka_unit_test(every_truncation_is_refused),
	        cmocka_unit_test(the_private_extension_names_the_session),
	        cmocka_unit_test(hellos_that_are_off_are_refused),
	        cmocka_unit_test(short_hellos_get_no_answer),
	        cmocka_unit_test(odd_lengths_inside_are_refused),
	        cmocka_unit_test(records_are_taken_one_by_one),
	        cmocka_unit_test(other_datagrams_are_something_else),
	};
	return RUN(tests);
}
