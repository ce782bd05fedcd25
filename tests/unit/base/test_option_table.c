#include "../options_unit.h"

#include <stdio.h>

enum colour { RED, GREEN };

struct pick {
	bool is_quick;
	unsigned loud;
	enum colour colour, set;
	const char *file, *far;
	uint32_t seconds;
	size_t n_taken;
};

static bool even_take(void *n_taken, const char *value, struct text *why)
{
	if (strlen(value) % 2 == 0) {
		++*(size_t *)n_taken;
		return true;
	}
	text_fmt(why, "--even wants an even length, not \"%s\"", value);
	return false;
}

static const struct option_word colours[] = {{"red", RED}, {"green", GREEN}, {0}};

static const struct option_row rows[] = {
        {"file", 'f', "FILE", "a file", OPTION_TEXT(struct pick, file)},
        {"far", 0, "PLACE", "a place", OPTION_TEXT(struct pick, far)},
        {"quick", 'q', NULL, "fast", OPTION_SWITCH(struct pick, is_quick)},
        {"loud", 'l', NULL, "more of it", OPTION_COUNT(struct pick, loud)},
        {"green", 0, NULL, "sets", OPTION_SET(struct pick, set, GREEN)},
        {"colour", 'c', "COLOUR", "one of two", OPTION_CHOICE(struct pick, colour, colours)},
        {"seconds", 's', "N", "how long", OPTION_NUMBER(struct pick, seconds, "seconds", 5, 60),
                .may_be_0 = true},
        {"minutes", 0, "N", "the same", OPTION_NUMBER(struct pick, seconds, "minutes", 1, 2)},
        {"even", 0, "TEXT", "of even length", OPTION_TAKE(struct pick, n_taken, even_take)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
        {"version", 0, NULL, "version", OPTION_VERSION},
};

static const struct option_table tool = {
        .program = "tool",
        .command = "do",
        .usage = "[WORD...]",
        .about = "Does.",
        .end = "The end.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
        .max_words = OPTION_ANY_NUMBER,
};

/* What the last parse() gave. */
static struct pick pick;
static struct option_words words;

static enum options_verdict parse(const struct option_table *t, char **argv)
{
	struct text say = {0};
	pick = (struct pick){.seconds = 7};
	words = (struct option_words){0};
	return said_keep(option_table_parse(t, argc_of(argv), argv, &pick, &words, &say), &say);
}

#define PARSE(t, ...) parse(t, (char *[]){"x", ##__VA_ARGS__, NULL})

static void check_refused(char **argv, const char *why)
{
	char want[256];
	(void)snprintf(want, sizeof(want), "tool: %s.\nTry: tool do --help\n", why);
	assert_int_equal(parse(&tool, argv), OPTIONS_BAD);
	assert_string_equal(said, want);
}

#define REFUSED(why, ...) check_refused((char *[]){"x", __VA_ARGS__, NULL}, why)

TEST(nothing_given)
{
	assert_int_equal(PARSE(&tool), OPTIONS_OK);
	assert_int_equal(words.n, 0);
	assert_string_equal(said, "");
	assert_false(pick.is_quick);
	assert_int_equal(pick.seconds, 7);
	char *none[] = {NULL};
	assert_int_equal(parse(&tool, none), OPTIONS_OK);
}

TEST(every_kind)
{
	assert_int_equal(PARSE(&tool, "--file", "a", "--far=b", "--quick", "--loud", "--green", "--colour",
	                         "green", "--seconds", "60", "--even", "ab", "--even=cdef"),
	        OPTIONS_OK);
	assert_string_equal(pick.file, "a");
	assert_string_equal(pick.far, "b");
	assert_true(pick.is_quick);
	assert_int_equal(pick.loud, 1);
	assert_int_equal(pick.set, GREEN);
	assert_int_equal(pick.colour, GREEN);
	assert_int_equal(pick.seconds, 60);
	assert_int_equal(pick.n_taken, 2);
	assert_int_equal(PARSE(&tool, "--seconds=0"), OPTIONS_OK);
	assert_int_equal(pick.seconds, 0);
}

TEST(letters)
{
	assert_int_equal(PARSE(&tool, "-qll", "-f", "a", "-s30", "-lcred"), OPTIONS_OK);
	assert_true(pick.is_quick);
	assert_int_equal(pick.loud, 3);
	assert_string_equal(pick.file, "a");
	assert_int_equal(pick.seconds, 30);
	assert_int_equal(pick.colour, RED);
}

TEST(the_later_wins)
{
	assert_int_equal(PARSE(&tool, "--file=a", "-fb", "--colour=green", "--colour=red"), OPTIONS_OK);
	assert_string_equal(pick.file, "b");
	assert_int_equal(pick.colour, RED);
}

TEST(beginnings_of_names)
{
	assert_int_equal(PARSE(&tool, "--qui", "--fi=a", "--sec", "9"), OPTIONS_OK);
	assert_true(pick.is_quick);
	assert_string_equal(pick.file, "a");
	assert_int_equal(pick.seconds, 9);
	REFUSED("--f could be --file or --far", "--f", "a");
	REFUSED("do does not know \"--quickly\"", "--quickly");
}

TEST(words_among_options)
{
	assert_int_equal(
	        PARSE(&tool, "one", "-q", "-", "--file", "a", "two", "--", "--loud", "--"), OPTIONS_OK);
	assert_int_equal(words.n, 5);
	assert_string_equal(words.v[0], "one");
	assert_string_equal(words.v[1], "-");
	assert_string_equal(words.v[2], "two");
	assert_string_equal(words.v[3], "--loud");
	assert_string_equal(words.v[4], "--");
	assert_true(pick.is_quick);
	assert_int_equal(pick.loud, 0);
	assert_string_equal(pick.file, "a");
}

TEST(the_first_word_may_end_options)
{
	struct option_table t = tool;
	t.is_over_at_word = true;
	assert_int_equal(PARSE(&t, "-q", "show", "--loud", "--", "-x"), OPTIONS_OK);
	assert_int_equal(words.n, 4);
	assert_string_equal(words.v[2], "--");
	assert_int_equal(pick.loud, 0);
}

TEST(number_of_words)
{
	struct option_table t = tool;
	t.max_words = 0;
	assert_int_equal(PARSE(&t, "-q", "a"), OPTIONS_BAD);
	assert_non_null(strstr(said, "do does not know \"a\""));
	t.command = NULL;
	assert_int_equal(PARSE(&t, "a"), OPTIONS_BAD);
	assert_string_equal(said, "tool: unknown argument \"a\".\nTry: tool --help\n");
	t = tool;
	t.min_words = t.max_words = 1;
	t.words = "one place";
	assert_int_equal(PARSE(&t), OPTIONS_BAD);
	assert_non_null(strstr(said, "do wants one place"));
	assert_int_equal(PARSE(&t, "a", "b"), OPTIONS_BAD);
	assert_int_equal(PARSE(&t, "a"), OPTIONS_OK);
}

TEST(refused)
{
	REFUSED("--file needs a value: FILE", "--file");
	REFUSED("--file needs a value: FILE", "-f");
	REFUSED("--file needs a value: FILE", "--file=");
	REFUSED("--file needs a value: FILE", "--file", "");
	REFUSED("--quick takes no value", "--quick=1");
	REFUSED("--quick takes no value", "--quick=");
	REFUSED("do does not know \"-qx\"", "-qx");
	REFUSED("do does not know \"--=a\"", "--=a");
	REFUSED("--colour is red or green, not \"gree\"", "--colour", "gree");
	REFUSED("--seconds wants a number of seconds from 5 to 60, or 0 for none, not \"61\"", "-s61");
	REFUSED("--seconds wants a number of seconds from 5 to 60, or 0 for none, not \"-1\"", "-s", "-1");
	REFUSED("--minutes wants a number of minutes from 1 to 2, not \"0\"", "--minutes=0");
	REFUSED("--even wants an even length, not \"abc\"", "--even", "abc");
}

TEST(help)
{
	assert_int_equal(PARSE(&tool, "-qh", "--nonsense"), OPTIONS_HELP);
	assert_string_equal(said, "Usage: tool do [WORD...]\n"
	                          "\n"
	                          "Does.\n"
	                          "\n"
	                          "  -f, --file FILE      a file\n"
	                          "      --far PLACE      a place\n"
	                          "  -q, --quick          fast\n"
	                          "  -l, --loud           more of it\n"
	                          "      --green          sets\n"
	                          "  -c, --colour COLOUR  one of two\n"
	                          "  -s, --seconds N      how long\n"
	                          "      --minutes N      the same\n"
	                          "      --even TEXT      of even length\n"
	                          "  -h, --help           this text\n"
	                          "      --version        version\n"
	                          "\n"
	                          "The end.\n");
	assert_int_equal(PARSE(&tool, "--version"), OPTIONS_HELP);
	assert_string_equal(said, "tool " CULVERT_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_given),
	        cmocka_unit_test(every_kind),
	        cmocka_unit_test(letters),
	        cmocka_unit_test(the_later_wins),
	        cmocka_unit_test(beginnings_of_names),
	        cmocka_unit_test(words_among_options),
	        cmocka_unit_test(the_first_word_may_end_options),
	        cmocka_unit_test(number_of_words),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(help),
	};
	return RUN(tests);
}
