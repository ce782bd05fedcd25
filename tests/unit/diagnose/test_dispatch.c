#include <stdio.h>

#include "../unit.h"
#include "base/text.h"
#include "diagnose/dispatch.h"

/* Readers of two invented formats. Of "abc" the first letter is the format. "A..." and "B..." are sure,
 * "a..." and "b..." plausible once anything was read; each makes a fact, whose text is the line. */
struct toy {
	const struct sink *sink;
	int n_ends, n_lines;
	char letter;
};

static struct text story; /* what the readers and the sink did */

static void toy_begin(void *state, const struct file_hint *hint, const struct sink *sink, char letter)
{
	struct toy *t = state;
	assert_int_equal(t->n_lines, 0); /* zeroed for each file */
	assert_string_equal(hint->name, "file");
	*t = (struct toy){.sink = sink, .letter = letter};
}

static void begin_a(void *state, const struct file_hint *hint, const struct sink *sink)
{
	toy_begin(state, hint, sink, 'A');
}

static void begin_b(void *state, const struct file_hint *hint, const struct sink *sink)
{
	toy_begin(state, hint, sink, 'B');
}

static enum claim toy_line(void *state, struct span line, uint32_t number)
{
	struct toy *t = state;
	if (line.n == 0 || (line.p[0] & ~32) != t->letter)
		return CLAIM_NO;
	t->n_lines++;
	t->sink->on_fact(t->sink->ctx, &(struct fact){.kind = FACT_DEVICE, .line = number, .text = line});
	return line.p[0] == t->letter ? CLAIM_STRONG : CLAIM_WEAK;
}

static void toy_end(void *state)
{
	struct toy *t = state;
	text_fmt(&story, "end %c;", t->letter);
}

static const struct reader toy_a = {SOURCE_OCSERV, sizeof(struct toy), begin_a, toy_line, toy_end};
static const struct reader toy_b = {SOURCE_DART, sizeof(struct toy), begin_b, toy_line, toy_end};
static const struct reader *const toys[] = {&toy_a, &toy_b, NULL};

static void on_fact(void *ctx, const struct fact *f)
{
	(void)ctx;
	text_fmt(&story, "%u.%u ", f->file, f->line);
	text_put(&story, span_trim(f->text));
	text_str(&story, ";");
}

static void on_event(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

/* Lines that are too short open nothing: these are filled up with blanks, but for "...". */
static void put_line(struct dispatch *d, struct span line, uint32_t number)
{
	char buf[40];
	bool is_short = line.n > 3 && memcmp(line.p + line.n - 3, "...", 3) == 0;
	(void)snprintf(buf, sizeof(buf), "%.*s%s", (int)line.n, line.p, is_short ? "" : "      ");
	struct span whole = span_str(buf);
	dispatch_line(d, is_short ? span_of(whole.p, whole.n - 3) : whole, number);
}

static struct dispatch_result run(struct dispatch *d, const char *lines, uint32_t file)
{
	struct file_hint hint = {.name = "file", .written_at_ms = TIME_NONE};
	struct dispatch_result r;
	struct span rest = span_str(lines);
	dispatch_begin(d, &hint, file);
	for (uint32_t n = 1; rest.n > 0; n++)
		put_line(d, span_cut(&rest, '\n'), n);
	dispatch_end(d, &r);
	return r;
}

static struct dispatch_result check(const char *lines, const char *want)
{
	struct sink sink = {.on_event = on_event, .on_fact = on_fact};
	struct dispatch *d = dispatch_new(toys, &sink);
	assert_non_null(d);
	struct dispatch_result r = run(d, lines, 3);
	assert_string_equal(text_cstr(&story), want);
	text_done(&story);
	dispatch_free(d);
	return r;
}

TEST(takes_turns)
{
	struct dispatch_result r = check(
	        "A1\nA2\nx\nB3\nb4\nA5\n", "3.1 A1;3.2 A2;3.4 B3;end A;3.5 b4;3.6 A5;end B;end A;end B;");
	assert_int_equal(r.kinds, 1u << SOURCE_OCSERV | 1u << SOURCE_DART);
	assert_int_equal(r.n_taken[SOURCE_OCSERV], 3);
	assert_int_equal(r.n_taken[SOURCE_DART], 2);
	assert_int_equal(r.n_taken[SOURCE_NONE], 1);
}

TEST(plausible_is_not_enough)
{
	struct dispatch_result r = check("a1\nb2\nx\n", "");
	assert_int_equal(r.kinds, 0);
	assert_int_equal(r.n_taken[SOURCE_NONE], 3);
}

TEST(plausible_before_sure_is_kept)
{
	struct dispatch_result r = check("a1\nb2\na3\nA4\n", "3.1 a1;3.3 a3;3.4 A4;end A;");
	assert_int_equal(r.kinds, 1u << SOURCE_OCSERV);
	assert_int_equal(r.n_taken[SOURCE_OCSERV], 1);
	assert_int_equal(r.n_taken[SOURCE_NONE], 3);
}

TEST(short_lines_open_nothing)
{
	struct dispatch_result r =
	        check("A1...\nB2...\nB3\nB4...\nA5...\nA6\n", "3.3 B3;3.4 B4;3.6 A6;end B;end A;end B;");
	assert_int_equal(r.n_taken[SOURCE_NONE], 3);
}

/* The plausible line of one that was sure before does not take the turn from the other. */
TEST(plausible_in_between)
{
	struct dispatch_result r =
	        check("A1\nB2\na3\nB4\n", "3.1 A1;3.2 B2;end A;3.3 a3;3.4 B4;end A;end B;");
	assert_int_equal(r.n_taken[SOURCE_OCSERV], 2);
	assert_int_equal(r.n_taken[SOURCE_DART], 2);
}

/* Facts before the claim are bounded. */
TEST(early_limit)
{
	struct text in = {0};
	for (int i = 0; i < 1000; i++)
		text_fmt(&in, "a%d\n", i);
	text_str(&in, "A\n");
	struct sink sink = {.on_event = on_event, .on_fact = on_fact};
	struct dispatch *d = dispatch_new(toys, &sink);
	(void)run(d, text_cstr(&in), 0);
	assert_non_null(strstr(text_cstr(&story), "0.64 a63;"));
	assert_null(strstr(text_cstr(&story), "a64;"));
	text_done(&story);
	/* nothing of one file is in the next one */
	(void)run(d, "a1\nb2\n", 1);
	(void)run(d, "A1\n", 2);
	assert_string_equal(text_cstr(&story), "2.1 A1;end A;");
	text_done(&story);
	text_done(&in);
	dispatch_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(takes_turns),
	        cmocka_unit_test(plausible_is_not_enough),
	        cmocka_unit_test(plausible_before_sure_is_kept),
	        cmocka_unit_test(short_lines_open_nothing),
	        cmocka_unit_test(plausible_in_between),
	        cmocka_unit_test(early_limit),
	};
	return RUN(tests);
}
