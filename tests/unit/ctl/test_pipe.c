/* Lines of an answer chosen by "| include" and its relatives; words that need no gateway. */
#include "../unit.h"

#include "ctl/local.h"
#include "ctl/pipe.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__}), N_ELEM(((const char *const[]){__VA_ARGS__}))

static const char answer[] = "hostname a\nip local pool P 10.0.0.2\nwebvpn\n enable outside\nlast";

/* What is left of the answer, given in pieces of n bytes. */
static void check_shown(const char *const *argv, size_t argc, size_t n_command, const char *want)
{
	for (size_t n = 1; n <= sizeof(answer); n++) {
		struct pipe p;
		struct text why = {0}, out = {0};
		size_t n_left = argc;
		struct span rest = span_str(answer);
		assert_int_equal(pipe_parse(argv, &n_left, &p, &why), 0);
		assert_int_equal(n_left, n_command);
		while (rest.n > 0) {
			size_t n_piece = rest.n < n ? rest.n : n;
			pipe_take(&p, span_of(rest.p, n_piece), &out);
			rest = span_skip(rest, n_piece);
		}
		pipe_end(&p, &out);
		assert_string_equal(text_cstr(&out), want);
		pipe_done(&p);
		text_done(&out);
		text_done(&why);
	}
}

TEST(without_a_pipe_every_byte_is_shown)
{
	check_shown(WORDS("show", "version"), 2, answer);
}

TEST(lines_are_chosen)
{
	check_shown(WORDS("show", "run", "|", "include", "^[iw]"), 2, "ip local pool P 10.0.0.2\nwebvpn\n");
	check_shown(WORDS("show", "run", "|", "i", "local", "pool"), 2, "ip local pool P 10.0.0.2\n");
	check_shown(WORDS("show", "run", "|inc", "enable|last"), 2, " enable outside\nlast\n");
	check_shown(WORDS("show", "|", "exclude", "a"), 1, "webvpn\n");
	check_shown(WORDS("show", "|", "grep", "-v", "a"), 1, "webvpn\n");
	check_shown(WORDS("show", "|", "GREP", "web"), 1, "webvpn\n");
	check_shown(WORDS("show", "|", "begin", "web"), 1, "webvpn\n enable outside\nlast\n");
	check_shown(WORDS("show", "|", "include", "nothing"), 1, "");
}

static void check_refused(const char *const *argv, size_t argc, const char *want)
{
	struct pipe p;
	struct text why = {0};
	size_t n = argc;
	assert_int_equal(pipe_parse(argv, &n, &p, &why), ERR_MALFORMED);
	assert_non_null(strstr(text_cstr(&why), want));
	pipe_done(&p);
	text_done(&why);
}

TEST(a_wrong_pipe_is_explained)
{
	check_refused(WORDS("show", "|"), "after \"|\" comes include");
	check_refused(WORDS("show", "|", "include"), "after \"|\" comes include");
	check_refused(WORDS("show", "|", "redirect", "x"), "after \"|\" comes include");
	check_refused(WORDS("show", "|", "grep", "-v"), "after \"|\" comes include");
	check_refused(WORDS("show", "|", "include", "["), "\"[\" is no regular expression: ");
}

TEST(a_line_without_end_is_cut)
{
	struct pipe p;
	struct text why = {0}, out = {0};
	size_t n = 4;
	assert_int_equal(pipe_parse((const char *const[]){"show", "|", "include", "x"}, &n, &p, &why), 0);
	for (size_t i = 0; i < 3 * PIPE_LINE_MAX / 4; i++)
		pipe_take(&p, span_str("xxxx"), &out);
	assert_in_range(p.part.n, 0, PIPE_LINE_MAX);
	assert_in_range(out.n, 2 * PIPE_LINE_MAX, 3 * PIPE_LINE_MAX);
	pipe_done(&p);
	text_done(&out);
	text_done(&why);
}

TEST(words_that_need_no_gateway)
{
	static const struct {
		const char *word;
		enum local_act act;
	} rows[] = {
	        {"exit", LOCAL_LEAVE},
	        {"q", LOCAL_LEAVE},
	        {"en", LOCAL_TOLD},
	        {"term", LOCAL_TOLD},
	        {"conf", LOCAL_REFUSED},
	        {"wr", LOCAL_REFUSED},
	        {"help", LOCAL_HELP},
	        {"e", LOCAL_NONE},
	        {"co", LOCAL_NONE},
	        {"show", LOCAL_NONE},
	        {"exits", LOCAL_NONE},
	        {"", LOCAL_NONE},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		const char *text = NULL;
		assert_int_equal(local_find(rows[i].word, &text), rows[i].act);
		assert_int_equal(text != NULL, rows[i].act == LOCAL_TOLD || rows[i].act == LOCAL_REFUSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_a_pipe_every_byte_is_shown),
	        cmocka_unit_test(lines_are_chosen),
	        cmocka_unit_test(a_wrong_pipe_is_explained),
	        cmocka_unit_test(a_line_without_end_is_cut),
	        cmocka_unit_test(words_that_need_no_gateway),
	};
	return RUN(tests);
}
