#include "../unit.h"

#include <errno.h>

#include "wire/http.h"

/* Feeds in pieces of step bytes; *ret_left is what was not consumed of the last piece. */
static int feed(const char *in, size_t step, struct text *out, size_t *ret_left)
{
	struct http_chunked c = {0};
	int r = 0;
	for (size_t at = 0, n = strlen(in); at < n && r == 0; at += step) {
		struct span piece = span_of(in + at, n - at < step ? n - at : step);
		r = http_chunked_feed(&c, &piece, out);
		*ret_left = piece.n;
	}
	return r;
}

TEST(chunks_are_joined_however_they_arrive)
{
	static const char in[] =
	        "5\r\nhello\r\n00A;ext=\"1\"\r\n, big worl\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n";
	for (size_t step = 1; step <= sizeof(in); step++) {
		struct text out = {0};
		size_t left;
		assert_int_equal(feed(in, step, &out, &left), 1);
		assert_string_equal(text_cstr(&out), "hello, big world");
		assert_int_equal(left, 0);
		text_done(&out);
	}
}

TEST(what_follows_the_body_stays)
{
	struct text out = {0};
	size_t left;
	assert_int_equal(feed("0\r\n\r\nHTTP/1.1", 99, &out, &left), 1);
	assert_int_equal(left, 8);
	text_done(&out);
}

TEST(broken_chunks_are_refused)
{
	static const struct {
		const char *in;
		int want;
	} rows[] = {
	        {"3\r\nab", 0},
	        {"\r\n", ERR_MALFORMED},
	        {"g\r\n", ERR_MALFORMED},
	        {"-1\r\n", ERR_MALFORMED},
	        {"0x5\r\n", ERR_MALFORMED},
	        {"1\nx", ERR_MALFORMED},
	        {"1\r\nxy\r\n", ERR_MALFORMED},
	        {"1\r\nx\ny", ERR_MALFORMED},
	        {"1;a\nb\r\n", ERR_MALFORMED},
	        {"40000\r\n", 0},
	        {"40001\r\n", ERR_TOO_LARGE},
	        {"ffffffff\r\n", ERR_TOO_LARGE},
	        {"100000000000000000001\r\n", ERR_TOO_LARGE},
	        {"0\r\n\n", ERR_MALFORMED},
	        {"0\r\nA: b\n", ERR_MALFORMED},
	        {"0\r\n\r\r", ERR_MALFORMED},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text out = {0};
		size_t left;
		assert_int_equal(feed(rows[i].in, 99, &out, &left), rows[i].want);
		text_done(&out);
	}
}

TEST(chunked_bodies_and_lines_are_limited)
{
	struct http_chunked c = {0};
	struct text in = {0}, out = {0};
	text_str(&in, "40000\r\n");
	for (size_t i = 0; i < HTTP_BODY_MAX_BYTES; i++)
		text_str(&in, "x");
	text_str(&in, "\r\n1\r\n");
	struct span rest = span_of(in.p, in.n);
	assert_int_equal(http_chunked_feed(&c, &rest, &out), ERR_TOO_LARGE);
	assert_int_equal(out.n, HTTP_BODY_MAX_BYTES);
	for (int kind = 0; kind < 3; kind++) {
		text_done(&in);
		text_str(&in, kind == 0 ? "" : kind == 1 ? "1;" : "0\r\n");
		for (size_t i = 0; i < HTTP_LINE_MAX_BYTES + 1; i++)
			text_str(&in, "0");
		c = (struct http_chunked){0};
		rest = span_of(in.p, in.n);
		assert_int_equal(http_chunked_feed(&c, &rest, &out), ERR_TOO_LARGE);
	}
	text_done(&in);
	text_done(&out);
}

TEST(form_fields_are_found_and_decoded)
{
	static const struct {
		const char *body, *name;
		int want;
		const char *value;
	} rows[] = {
	        {"username=alice&password=se%26c+r%65t", "username", 0, "alice"},
	        {"username=alice&password=se%26c+r%65t", "password", 0, "se&c ret"},
	        {"group%5flist=A%20B", "group_list", 0, "A B"},
	        {"a=1&a=2", "a", 0, "1"},
	        {"a", "a", 0, ""},
	        {"a=", "a", 0, ""},
	        {"ab=1", "a", -ENOENT, ""},
	        {"a=1", "ab", -ENOENT, ""},
	        {"", "a", -ENOENT, ""},
	        {"&&a=b=c", "a", 0, "b=c"},
	        {"a=%", "a", ERR_MALFORMED, ""},
	        {"a=%4", "a", ERR_MALFORMED, ""},
	        {"a=x%4g", "a", ERR_MALFORMED, ""},
	        {"a=x%00", "a", ERR_MALFORMED, ""},
	        {"%=1&a=2", "a", 0, "2"},
	        {"a%00=1&a=2", "a", 0, "2"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text out = {0};
		assert_int_equal(form_get(span_str(rows[i].body), rows[i].name, &out), rows[i].want);
		assert_string_equal(text_cstr(&out), rows[i].value);
		text_done(&out);
	}
}

TEST(escaping_is_undone)
{
	struct text once = {0}, again = {0}, lenient = {0};
	uint8_t all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	form_escape(&once, span_of(all, sizeof(all)));
	form_unescape(&again, span_of(once.p, once.n));
	assert_int_equal(again.n, sizeof(all));
	assert_memory_equal(again.p, all, sizeof(all));
	form_unescape(&lenient, span_str("100%, %4, %zz%41+"));
	assert_string_equal(text_cstr(&lenient), "100%, %4, %zzA+");
	text_done(&once);
	form_escape(&once, span_str("a-b.c_d~e /\xc3"));
	assert_string_equal(text_cstr(&once), "a-b.c_d~e%20%2F%C3");
	text_done(&once);
	text_done(&again);
	text_done(&lenient);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(chunks_are_joined_however_they_arrive),
	        cmocka_unit_test(what_follows_the_body_stays),
	        cmocka_unit_test(broken_chunks_are_refused),
	        cmocka_unit_test(chunked_bodies_and_lines_are_limited),
	        cmocka_unit_test(form_fields_are_found_and_decoded),
	        cmocka_unit_test(escaping_is_undone),
	};
	return RUN(tests);
}
