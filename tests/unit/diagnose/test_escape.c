#include "../unit.h"
#include "diagnose/escape.h"

static void check(const char *in, size_t max, const char *want)
{
	struct text t = {0};
	escape_put(&t, span_str(in), max);
	assert_string_equal(text_cstr(&t), want);
	text_done(&t);
}

TEST(stays)
{
	check("", 10, "");
	check("plain \\ text", 100, "plain \\ text");
	check("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80", 100,
	        "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80");
}

TEST(is_escaped)
{
	check("a\x1b[31m\n\t\x7f", 100, "a\\x1b[31m\\x0a \\x7f");
	check("\xc2\x85\xc2\x9b", 100, "\\xc2\\x85\\xc2\\x9b"); /* C1 */
	check("a\xe2\x80\xae"
	      "b",
	        100, "a\\xe2\\x80\\xaeb"); /* turns the direction */
	check("\xef\xbb\xbf\xe2\x80\xa8", 100,
	        "\\xef\\xbb\\xbf\\xe2\\x80\\xa8"); /* byte order mark, line separator */
	check("gr\xfc\xdf", 100, "gr\\xfc\\xdf");  /* Latin-1 */
	check("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", 100,
	        "\\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"); /* too long, surrogate, too high */
	check("\xe6\x97", 100, "\\xe6\\x97");                     /* cut off */
}

TEST(is_cut)
{
	check("abcdef", 6, "abcdef");
	check("abcdef", 5, "abcde...");
	check("ab\xe6\x97\xa5"
	      "c",
	        4, "ab..."); /* not within a character */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(stays),
	        cmocka_unit_test(is_escaped),
	        cmocka_unit_test(is_cut),
	};
	return RUN(tests);
}
