#include "../unit.h"

#include "base/err.h"
#include "base/text.h"

TEST(grows_and_formats)
{
	struct text t = {0};
	assert_string_equal(text_cstr(&t), "");
	for (int i = 0; i < 1000; i++)
		text_fmt(&t, "%03d ", i);
	assert_int_equal(t.n, 4000);
	assert_int_equal(strlen(text_cstr(&t)), 4000);
	text_done(&t);
}

TEST(limit_is_sticky)
{
	static uint8_t chunk[1 << 20];
	struct text t = {0};
	for (int i = 0; i < 20; i++)
		text_put(&t, span_of(chunk, sizeof(chunk)));
	assert_false(text_ok(&t));
	assert_true(t.n < TEXT_MAX_BYTES);
	text_done(&t);
	assert_true(text_ok(&t));
}

TEST(peer_bytes_are_escaped_and_cut)
{
	struct text t = {0};
	text_escaped(&t, span_of("a\\\n\x1b[0m\xff\0b", 10), 64);
	assert_string_equal(text_cstr(&t), "a\\\\\\x0a\\x1b[0m\\xff\\x00b");
	text_done(&t);
	text_escaped(&t, span_str("abcdef"), 3);
	assert_string_equal(text_cstr(&t), "abc...");
	text_done(&t);
}

TEST(every_error_has_a_text)
{
	for (int e = ERR_PEER_PROTOCOL; e <= ERR_MALFORMED; e++)
		assert_true(strncmp(err_text(e), "Unknown", 7) != 0);
	assert_string_equal(err_text(0), "success");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(grows_and_formats),
	        cmocka_unit_test(limit_is_sticky),
	        cmocka_unit_test(peer_bytes_are_escaped_and_cut),
	        cmocka_unit_test(every_error_has_a_text),
	};
	return RUN(tests);
}
