/* Names of files in reports for people. */
#include "diagnose/place.h"

#include "../unit.h"

struct named {
	const char *const names[4];
	size_t n;
	const char *folder, *last; /* what is said of the folder, and of the last file */
};

static void check(const struct named *c)
{
	struct report_file files[4] = {0};
	struct text folder = {0}, place = {0};
	for (size_t i = 0; i < c->n; i++)
		files[i].name = c->names[i];
	struct report r = {.files = files, .n_files = c->n};
	r.n_folder_bytes = place_common_bytes(&r);
	place_put_folder(&folder, &r);
	assert_string_equal(text_cstr(&folder), c->folder);
	place_put(&place, &r, (uint32_t)c->n - 1, 13);
	assert_string_equal(text_cstr(&place), c->last);
	text_done(&folder);
	text_done(&place);
}

TEST(the_folder_that_all_are_in_is_left_out)
{
	static const struct named cases[] = {
	        {{"asa.log"}, 1, "", "asa.log:13"},
	        {{"/var/log/asa.log"}, 1, "/var/log/", "asa.log:13"},
	        {{"/var/log/a/x.log", "/var/log/b/x.log"}, 2, "/var/log/", "b/x.log:13"},
	        {{"/var/log/abc/x", "/var/log/abd/x"}, 2, "/var/log/", "abd/x:13"},
	        {{"/var/log/x", "/tmp/x"}, 2, "", "/tmp/x:13"},
	        {{"logs/x", "x"}, 2, "", "x:13"},
	        {{"logs/b.zip:d/x", "logs/b.zip:d/y"}, 2, "logs/", "y:13"},
	        {{"logs/b.zip:d/x", "logs/c.zip:d/x"}, 2, "logs/", "c.zip:d/x:13"},
	        {{"logs/", "logs/x"}, 2, "logs/", "x:13"},
	        {{"a/\x1b[1m"}, 1, "a/", "\\x1b[1m:13"},
	};
	for (size_t i = 0; i < N_ELEM(cases); i++)
		check(&cases[i]);
}

TEST(no_files)
{
	struct report r = {0};
	struct text t = {0};
	assert_int_equal(place_common_bytes(&r), 0);
	place_put_folder(&t, &r);
	place_put(&t, &r, 0, 1);
	assert_string_equal(text_cstr(&t), ":1");
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_folder_that_all_are_in_is_left_out),
	        cmocka_unit_test(no_files),
	};
	return RUN(tests);
}
