#include "../unit.h"

#include "client/events.h"

static void note(struct events *ev, int n)
{
	for (int i = 0; i < n; i++)
		events_note(ev, EVENT_INFO, 0, "event %llu", (unsigned long long)ev->n_seen);
}

static void assert_text(const char *line, unsigned number)
{
	char want[64];
	(void)snprintf(want, sizeof(want), "\"text\":\"event %u\"}", number);
	assert_non_null(line);
	assert_non_null(strstr(line, want));
}

TEST(kept_without_a_file)
{
	struct events ev;
	assert_int_equal(events_open(&ev, NULL, 0), 0);
	note(&ev, 3);
	assert_int_equal(events_first(&ev), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_text(events_kept(&ev, i), i);
	assert_null(events_kept(&ev, 3));
	events_close(&ev);
}

TEST(the_newest_are_kept)
{
	struct events ev;
	assert_int_equal(events_open(&ev, NULL, 0), 0);
	note(&ev, EVENTS_KEEP_MAX + 10);
	assert_int_equal(events_first(&ev), 10);
	assert_null(events_kept(&ev, 9));
	assert_text(events_kept(&ev, 10), 10);
	assert_text(events_kept(&ev, EVENTS_KEEP_MAX + 9), EVENTS_KEEP_MAX + 9);
	events_close(&ev);
}

TEST(a_huge_one_is_not_kept)
{
	static char huge[EVENTS_KEEP_LINE_BYTES + 1];
	struct events ev;
	assert_int_equal(events_open(&ev, NULL, 0), 0);
	memset(huge, 'x', sizeof(huge) - 1);
	events_note(&ev, EVENT_INFO, 0, "%s", huge);
	note(&ev, 1);
	assert_null(events_kept(&ev, 0));
	assert_text(events_kept(&ev, 1), 1);
	events_close(&ev);
}

TEST(what_is_not_utf8_is_told_all_the_same)
{
	struct events ev;
	assert_int_equal(events_open(&ev, NULL, 0), 0);
	events_note(&ev, EVENT_INFO, 0, "The gateway ended the session: M\xfcller \xc3\xa4");
	events_note(&ev, EVENT_INFO, 0, "M\xc3\xbcller");
	assert_non_null(strstr(events_kept(&ev, 0), "session: M?ller ??\"}"));
	assert_non_null(strstr(events_kept(&ev, 1), "M\xc3\xbcller"));
	events_close(&ev);
}

static void assert_clean(const char *in, const char *want)
{
	struct text t = {0};
	events_clean(&t, span_str(in), 100);
	assert_string_equal(text_cstr(&t), want);
	text_done(&t);
}

TEST(nothing_gets_at_the_terminal)
{
	assert_clean("a\x1b[2Jb\nc\r\td\x7f", "a[2Jb c  d");
	assert_clean("\xc3\xa4 \xc2\xa9 \xc2\x9b"
	             "31m",
	        "\xc3\xa4 \xc2\xa9 ?31m");
	assert_clean("\xc2\xc2\x9b\x9b"
	             "31m",
	        "\xc2?\x9b"
	        "31m");
	assert_clean("\xc2\x01\x9b"
	             "31m",
	        "?31m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(kept_without_a_file),
	        cmocka_unit_test(the_newest_are_kept),
	        cmocka_unit_test(a_huge_one_is_not_kept),
	        cmocka_unit_test(what_is_not_utf8_is_told_all_the_same),
	        cmocka_unit_test(nothing_gets_at_the_terminal),
	};
	return RUN(tests);
}
