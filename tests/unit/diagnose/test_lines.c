#include <stdio.h>
#include <stdlib.h>

#include "../unit.h"
#include "base/text.h"
#include "diagnose/lines.h"

/* The lines as "1:first|2:second|". */
static void collect(void *ctx, struct span line, uint32_t number)
{
	text_fmt(ctx, "%u:", number);
	text_put(ctx, line);
	text_str(ctx, "|");
}

/* Feeds in blocks of step bytes; the text is the caller's to end. */
static struct text lines_of(struct span in, size_t step, struct lines *ret)
{
	struct text out = {0};
	struct lines l;
	assert_int_equal(lines_init(&l, collect, &out), 0);
	while (in.n > 0) {
		size_t n = in.n < step ? in.n : step;
		/* in memory of its own, so that a read beyond it is seen */
		uint8_t *copy = malloc(n);
		memcpy(copy, in.p, n);
		bool is_wanted = lines_feed(&l, span_of(copy, n));
		free(copy);
		if (!is_wanted)
			break;
		in = span_skip(in, n);
	}
	lines_end(&l);
	if (ret != NULL)
		*ret = l; /* counters only */
	lines_done(&l);
	return out;
}

static void check(struct span in, const char *want)
{
	static const size_t steps[] = {1, 2, 3, 7, 4096, 100000};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct text t = lines_of(in, steps[i], NULL);
		assert_string_equal(text_cstr(&t), want);
		text_done(&t);
	}
}

static void check_str(const char *in, const char *want)
{
	check(span_str(in), want);
}

TEST(newlines)
{
	check_str("", "");
	check_str("one", "1:one|");
	check_str("one\ntwo\n", "1:one|2:two|");
	check_str("one\r\n\r\ntwo\r\n", "1:one|2:|3:two|");
	check_str("one\r\r\ntwo", "1:one|2:two|");
	check_str("one\rtwo\r", "1:one|2:two|");
	check_str("\n\n", "1:|2:|");
	/* a pager of a terminal writes over its own question: a line of its own, with the number of the
	 * file's */
	check_str("a\n<--- More --->\r     \rb\nc", "1:a|2:<--- More --->|2:     |2:b|3:c|");
}

TEST(marks)
{
	check_str("\xef\xbb\xbfone\ntwo", "1:one|2:two|");
	check_str("one\n\xef\xbb\xbftwo", "1:one|2:two|");
	check_str("gr\xfc\xdf\n\x83\x5c", "1:gr\xfc\xdf|2:\x83\x5c|"); /* Latin-1, Shift-JIS */
}

/* ASCII and what is written as 16-bit units, to bytes of either order. */
static struct span utf16(const uint16_t *units, size_t n, bool is_big, uint8_t *buf)
{
	for (size_t i = 0; i < n; i++) {
		buf[2 * i + (is_big ? 1 : 0)] = (uint8_t)units[i];
		buf[2 * i + (is_big ? 0 : 1)] = (uint8_t)(units[i] >> 8);
	}
	return span_of(buf, 2 * n);
}

TEST(utf16_orders)
{
	/* mark, "Date : ", Hiragana a, CR LF, a pair, half a pair, newline, half a pair, "z" */
	static const uint16_t units[] = {0xfeff, 'D', 'a', 't', 'e', ' ', ':', ' ', 0x3042, '\r', '\n',
	        0xd83d, 0xde00, 0xd83d, '\n', 0xdc00, 'z'};
	const char *want = "1:Date : \xe3\x81\x82|2:\xf0\x9f\x98\x80\xef\xbf\xbd|3:\xef\xbf\xbdz|";
	uint8_t buf[sizeof(units)];
	for (int is_big = 0; is_big < 2; is_big++) {
		check(utf16(units, sizeof(units) / 2, is_big, buf), want);
		check(utf16(units + 1, sizeof(units) / 2 - 1, is_big, buf), want); /* without the mark */
	}
}

TEST(long_lines)
{
	size_t n = 3 * LINE_MAX_BYTES;
	char *buf = malloc(n + 8);
	memset(buf, 'x', n);
	memcpy(buf + n, "\nnext", 5);
	for (size_t step = 1000; step <= 100000; step *= 10) {
		struct lines l;
		struct text t = lines_of(span_of(buf, n + 5), step, &l);
		assert_int_equal(t.n, 2 + LINE_MAX_BYTES + 1 + strlen("2:next|"));
		assert_string_equal(t.p + 2 + LINE_MAX_BYTES, "|2:next|");
		assert_int_equal(l.n_cut, 1);
		assert_int_equal(l.n, 2);
		text_done(&t);
	}
	/* exactly as long as it may be */
	buf[LINE_MAX_BYTES] = '\n';
	struct lines l;
	struct text t = lines_of(span_of(buf, LINE_MAX_BYTES + 1), 5000, &l);
	assert_int_equal(l.n_cut, 0);
	text_done(&t);
	free(buf);
}

TEST(nuls)
{
	struct lines l;
	static const char text[] = "one line of text, the next after a crash\n\0\0\0\0two\n";
	struct text t = lines_of(span_of(text, sizeof(text) - 1), 100, &l);
	assert_string_equal(text_cstr(&t), "1:one line of text, the next after a crash|2:two|");
	assert_int_equal(l.n_junk, 1);
	assert_int_equal(l.form, LINES_BYTES);
	text_done(&t);
}

TEST(binary)
{
	uint8_t buf[8192];
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof(buf); i++) {
		x = x * 1664525 + 1013904223;
		buf[i] = (uint8_t)(x >> 24);
	}
	struct lines l;
	struct text t = lines_of(span_of(buf, sizeof(buf)), 4096, &l);
	assert_int_equal(t.n, 0);
	assert_int_equal(l.form, LINES_BINARY);
	memset(buf, 0, sizeof(buf));
	memcpy(buf,
	        "\x7f"
	        "ELF\2\1\1",
	        7);
	t = lines_of(span_of(buf, sizeof(buf)), 100, &l);
	assert_int_equal(t.n, 0);
	assert_int_equal(l.form, LINES_BINARY);
}

/* An export of one line: parted behind whole events, with the number of the line, however it comes. */
TEST(long_line_of_records)
{
	static const char *const ends[] = {"</Event>", "\"},", "\"}, "};
	static const char *const begins[] = {"<Event>", "{\"a\":\"", "{\"a\":\""};
	for (size_t k = 0; k < 3; k++) {
		struct text in = {0};
		text_str(&in, "first\n");
		for (int i = 0; i < 200; i++) {
			text_str(&in, begins[k]);
			for (int j = 0; j < 40 + i % 7; j++)
				text_str(&in, "0123456789");
			text_str(&in, ends[k]);
		}
		text_str(&in, "{\nlast");
		static const size_t steps[] = {1, 1000, 16384, 100000, 1 << 20};
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			struct lines l;
			struct text out = lines_of(span_of(in.p, in.n), steps[i], &l);
			assert_int_equal(l.n_cut, 0);
			assert_int_equal(l.n, 3);
			assert_non_null(strstr(text_cstr(&out), "|2:"));
			assert_null(strstr(text_cstr(&out), "9|2:"));
			assert_non_null(strstr(text_cstr(&out), "|3:last|"));
			/* nothing is lost: the parts together are the line */
			for (char *at = out.p; (at = strstr(at, "|2:")) != NULL;)
				memmove(at, at + 3, strlen(at + 3) + 1);
			assert_non_null(strstr(out.p, "0123456789"));
			assert_int_equal(strlen(out.p), in.n - 2 + strlen("1:|3:|"));
			text_done(&out);
		}
		text_done(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(newlines),
	        cmocka_unit_test(marks),
	        cmocka_unit_test(utf16_orders),
	        cmocka_unit_test(long_lines),
	        cmocka_unit_test(nuls),
	        cmocka_unit_test(binary),
	        cmocka_unit_test(long_line_of_records),
	};
	return RUN(tests);
}
