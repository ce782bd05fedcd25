#include "../unit.h"

#include <errno.h>

#include "base/parse.h"

TEST(numbers_are_digits_in_range_and_nothing_else)
{
	static const struct {
		const char *in;
		int want;
	} rows[] = {
	        {"0", 0},
	        {"1500", 0},
	        {"4294967295", 0},
	        {"4294967296", -ERANGE},
	        {"99999999999999999999999999", -ERANGE},
	        {"", -EINVAL},
	        {"-1", -EINVAL},
	        {"+1", -EINVAL},
	        {" 1", -EINVAL},
	        {"1 ", -EINVAL},
	        {"0x10", -EINVAL},
	        {"1e3", -EINVAL},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		uint32_t v = 77;
		assert_int_equal(parse_u32(span_str(rows[i].in), 0, UINT32_MAX, &v), rows[i].want);
		if (rows[i].want < 0)
			assert_int_equal(v, 77);
	}
	uint32_t v;
	assert_int_equal(parse_u32(span_str("575"), 576, 1462, &v), -ERANGE);
	assert_int_equal(parse_u32(span_str("576"), 576, 1462, &v), 0);
	uint64_t big;
	assert_int_equal(parse_u64(span_str("18446744073709551615"), 0, UINT64_MAX, &big), 0);
	assert_int_equal(parse_u64(span_str("18446744073709551616"), 0, UINT64_MAX, &big), -ERANGE);
}

TEST(hex_is_bounded)
{
	uint8_t out[4];
	size_t n = 0;
	assert_int_equal(parse_hex(span_str("00fFaB"), out, sizeof(out), &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(out, "\x00\xff\xab", 3);
	assert_int_equal(parse_hex(span_str("abc"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(parse_hex(span_str("0g"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(parse_hex(span_str("0011223344"), out, sizeof(out), &n), -ENOBUFS);
}

TEST(names_fit_or_fail)
{
	char name[4];
	assert_int_equal(parse_name(span_str("abc"), name, sizeof(name)), 0);
	assert_string_equal(name, "abc");
	assert_int_equal(parse_name(span_str("abcd"), name, sizeof(name)), -ENAMETOOLONG);
	assert_int_equal(parse_name(span_str("a\n"), name, sizeof(name)), -EINVAL);
	assert_int_equal(parse_name(span_of("a\0", 2), name, sizeof(name)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(numbers_are_digits_in_range_and_nothing_else),
	        cmocka_unit_test(hex_is_bounded),
	        cmocka_unit_test(names_fit_or_fail),
	};
	return RUN(tests);
}
