#include "../unit.h"

#include "gateway/command.h"

static void nothing(struct call *c)
{
	(void)c;
}

static const struct command rows[] = {
        {"show", "Show things"},
        {"show version", "Version", nothing},
        {"show vpn-sessiondb", "Sessions", nothing},
        {"show vpn-sessiondb filter <user>", "User", nothing},
        {"show pool", "Pools", nothing},
        {"show pool <name>", "Name of a pool", nothing},
        {"clear", "Reset"},
        {"clear all", "Everything", nothing},
        {"clear all-but <what>", "Nearly everything", nothing},
};
static const struct command_table table = {rows, N_ELEM(rows)};

static struct command_match find(const char *a, const char *b, const char *c, const char *d)
{
	const char *argv[] = {a, b, c, d};
	size_t n = 0;
	while (n < 4 && argv[n])
		n++;
	return command_find(&table, argv, n);
}

TEST(finds_whole_words_and_short_ones)
{
	assert_ptr_equal(find("show", "version", NULL, NULL).command, &rows[1]);
	assert_ptr_equal(find("sh", "ver", NULL, NULL).command, &rows[1]);
	assert_ptr_equal(find("s", "vp", NULL, NULL).command, &rows[2]);
	struct command_match m = find("sh", "vpn", "f", "alice");
	assert_ptr_equal(m.command, &rows[3]);
	assert_int_equal(m.n_args, 1);
	assert_string_equal(m.args[0], "alice");
}

TEST(optional_argument)
{
	assert_ptr_equal(find("show", "pool", NULL, NULL).command, &rows[4]);
	assert_ptr_equal(find("show", "pool", "X", NULL).command, &rows[5]);
}

TEST(a_whole_word_is_not_short_for_a_longer_one)
{
	assert_ptr_equal(find("clear", "all", NULL, NULL).command, &rows[7]);
	assert_int_equal(find("clear", "al", NULL, NULL).verdict, COMMAND_AMBIGUOUS);
}

TEST(says_what_is_wrong)
{
	struct command_match m = find("show", "v", NULL, NULL);
	assert_int_equal(m.verdict, COMMAND_AMBIGUOUS);
	assert_int_equal(m.at, 1);
	assert_int_equal(find("show", NULL, NULL, NULL).verdict, COMMAND_INCOMPLETE);
	assert_int_equal(find("show", "vpn", "filter", NULL).verdict, COMMAND_INCOMPLETE);
	m = find("show", "version", "now", NULL);
	assert_int_equal(m.verdict, COMMAND_UNKNOWN);
	assert_int_equal(m.at, 2);
	assert_int_equal(find("", NULL, NULL, NULL).verdict, COMMAND_UNKNOWN);
	assert_int_equal(find("showx", NULL, NULL, NULL).verdict, COMMAND_UNKNOWN);
}

TEST(complaint_lists_what_is_possible)
{
	const char *argv[] = {"show", "v\x1b[2J"};
	struct command_match m = command_find(&table, argv, 2);
	struct text t = {0};
	command_complain(&table, &m, argv, &t);
	assert_string_equal(text_cstr(&t), "ERROR: % Invalid input: \"v\\x1b[2J\"\n"
	                                   "Possible here:\n"
	                                   "  version          Version\n"
	                                   "  vpn-sessiondb    Sessions\n"
	                                   "  pool             Pools\n");
	text_done(&t);
}

TEST(list_after_a_complete_command)
{
	const char *argv[] = {"show", "pool"};
	struct command_match m = command_find(&table, argv, 2);
	struct text t = {0};
	command_list(&table, &m, "", &t);
	assert_string_equal(text_cstr(&t), "  <name>           Name of a pool\n"
	                                   "  <cr>             \n");
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_whole_words_and_short_ones),
	        cmocka_unit_test(optional_argument),
	        cmocka_unit_test(a_whole_word_is_not_short_for_a_longer_one),
	        cmocka_unit_test(says_what_is_wrong),
	        cmocka_unit_test(complaint_lists_what_is_possible),
	        cmocka_unit_test(list_after_a_complete_command),
	};
	return RUN(tests);
}
