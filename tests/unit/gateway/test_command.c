#include "../unit.h"

#include <stdlib.h>

#include "gateway/command.h"

static void nothing(struct call *c)
{
	(void)c;
}

static const struct command option_rows[] = {
        {"filter", "Some"},
        {"filter name", "By user"},
        {"filter name <user>", "User", .option = 1},
        {"filter inactive", "Lost", .option = 2},
        {"sort", "Order"},
        {"sort name", "By name", .option = 3},
};
static const struct command_table options = {option_rows, N_ELEM(option_rows)};

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
        {"list <what>", "A list", nothing, .options = &options},
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

TEST(options_in_any_order_each_once)
{
	const char *argv[] = {"list", "x", "so", "n", "filter", "name", "bob", "sort"};
	struct command_match m = command_find(&table, argv, 2);
	assert_int_equal(m.verdict, COMMAND_FOUND);
	assert_int_equal(m.n_options, 0);
	m = command_find(&table, argv, 4);
	assert_int_equal(m.verdict, COMMAND_FOUND);
	assert_int_equal(m.n_options, 1);
	assert_int_equal(m.options[0].row->option, 3);
	assert_null(m.options[0].arg);
	assert_int_equal(command_find(&table, argv, 5).verdict, COMMAND_INCOMPLETE);
	assert_int_equal(command_find(&table, argv, 6).verdict, COMMAND_INCOMPLETE);
	m = command_find(&table, argv, 7);
	assert_int_equal(m.verdict, COMMAND_FOUND);
	assert_string_equal(m.command->syntax, "list <what>");
	assert_int_equal(m.n_args, 1);
	assert_int_equal(m.n_options, 2);
	assert_int_equal(m.options[1].row->option, 1);
	assert_string_equal(m.options[1].arg, "bob");
	m = command_find(&table, argv, 8);
	assert_int_equal(m.verdict, COMMAND_UNKNOWN);
	assert_int_equal(m.at, 7);
}

static char *listed(const char *const *argv, size_t n)
{
	struct command_match m = command_find(&table, argv, n);
	struct text t = {0};
	command_list(&m, "", &t);
	assert_true(text_ok(&t));
	return t.p; /* freed by the caller */
}

TEST(list_of_options_that_are_left)
{
	const char *argv[] = {"list", "x", "filter", "inactive"};
	char *text = listed(argv, 2);
	assert_string_equal(text, "  filter           Some\n"
	                          "  sort             Order\n"
	                          "  <cr>             \n");
	free(text);
	text = listed(argv, 3);
	assert_string_equal(text, "  name             By user\n"
	                          "  inactive         Lost\n");
	free(text);
	text = listed(argv, 4);
	assert_string_equal(text, "  sort             Order\n"
	                          "  <cr>             \n");
	free(text);
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
	command_complain(&m, argv, &t);
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
	command_list(&m, "", &t);
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
	        cmocka_unit_test(options_in_any_order_each_once),
	        cmocka_unit_test(list_of_options_that_are_left),
	        cmocka_unit_test(says_what_is_wrong),
	        cmocka_unit_test(complaint_lists_what_is_possible),
	        cmocka_unit_test(list_after_a_complete_command),
	};
	return RUN(tests);
}
