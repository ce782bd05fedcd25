#include "../unit.h"

#include "diagnose/event.h"
#include "diagnose/when.h"

/* 2013-11-20 12:00:00 */
#define WRITTEN INT64_C(1384948800000)
/* 2013-11-16 01:28:50 */
#define NOTE INT64_C(1384565330000)

struct row {
	const char *text, *rest;
	int64_t at_ms;
	bool has_zone;
};

static void check_bsd(const struct row *r, int64_t written_at_ms)
{
	struct span s = span_str(r->text);
	struct when w;
	assert_true(when_bsd(&s, written_at_ms, &w));
	assert_int_equal(w.at_ms, r->at_ms);
	assert_int_equal(w.has_zone, r->has_zone);
	assert_true(span_is(s, r->rest));
}

TEST(utc)
{
	assert_int_equal(when_utc_ms(1970, 1, 1, 0, 0, 0, 0), 0);
	assert_int_equal(when_utc_ms(2000, 2, 29, 23, 59, 59, 999), INT64_C(951868799999));
	assert_int_equal(when_utc_ms(2013, 11, 16, 1, 28, 50, 0), NOTE);
	assert_int_equal(when_utc_ms(2016, 12, 31, 23, 59, 60, 0), when_utc_ms(2017, 1, 1, 0, 0, 0, 0));
	assert_int_equal(when_utc_ms(2100, 2, 29, 0, 0, 0, 0), TIME_NONE);
	assert_int_equal(when_utc_ms(2013, 2, 29, 0, 0, 0, 0), TIME_NONE);
	assert_int_equal(when_utc_ms(2013, 13, 1, 0, 0, 0, 0), TIME_NONE);
	assert_int_equal(when_utc_ms(2013, 0, 1, 0, 0, 0, 0), TIME_NONE);
	assert_int_equal(when_utc_ms(2013, 1, 1, 24, 0, 0, 0), TIME_NONE);
	assert_int_equal(when_utc_ms(2013, 1, 1, 0, 0, 0, 1000), TIME_NONE);
	assert_int_equal(when_utc_ms(1969, 12, 31, 0, 0, 0, 0), TIME_NONE);
}

TEST(bsd_forms)
{
	static const struct row rows[] = {
	        {"Nov 16 01:28:50 fw1 : %ASA-6-722036: x", "fw1 : %ASA-6-722036: x", NOTE, false},
	        {"Nov 16 2013 01:28:50 fw1", "fw1", NOTE, false},
	        {"Nov 16 2013 01:28:50: %ASA-6", "%ASA-6", NOTE, false},
	        {"Nov 16 2013 01:28:50 : %ASA-6", ": %ASA-6", NOTE, false},
	        {"Nov 16 2013 01:28:50.123 UTC: %ASA-6", "%ASA-6", NOTE + 123, true},
	        {"Nov 16 2013 02:28:50 CET: %ASA-6", "%ASA-6", NOTE, true},
	        {"Nov 16 2013 01:28:50 XYZ: %ASA-6", "%ASA-6", NOTE, false},
	        {"Nov 16 2013 01:28:50 XYZ %ASA-6", "XYZ %ASA-6", NOTE, false},
	        {"Nov 16 01:28:50 utc9 x", "utc9 x", NOTE, false},
	        {"*Nov 16 01:28:50.5: x", "x", NOTE + 500, false},
	        {"nov\t16 1:28:50", "", NOTE, false},
	        {"Sat Nov 16 01:28:50 2013 daemon.info x", "daemon.info x", NOTE, false},
	        {"Sat Nov 16 01:28:50 fw1", "fw1", NOTE, false},
	        {"Sat Nov 16 01:28:50 20131 x", "20131 x", NOTE, false},
	        {"Nov 16 01:28:50 2012 x", "2012 x", NOTE, false},
	        {"Nov  6 01:28:50 a", "a", NOTE - 10 * INT64_C(86400000), false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_bsd(&rows[i], WRITTEN);
}

TEST(bsd_years)
{
	int64_t new_year = when_utc_ms(2014, 1, 1, 8, 0, 0, 0);
	check_bsd(&(struct row){"Dec 31 23:00:00 a", "a", when_utc_ms(2013, 12, 31, 23, 0, 0, 0)}, new_year);
	/* another zone's clock is ahead of the file's time, by a day at most */
	check_bsd(&(struct row){"Jan  2 07:59:59 a", "a", when_utc_ms(2014, 1, 2, 7, 59, 59, 0)}, new_year);
	check_bsd(&(struct row){"Jan  2 08:00:01 a", "a", when_utc_ms(2013, 1, 2, 8, 0, 1, 0)}, new_year);
	check_bsd(&(struct row){"Jan  1 03:00:00 a", "a", when_utc_ms(2014, 1, 1, 3, 0, 0, 0)},
	        when_utc_ms(2013, 12, 31, 20, 0, 0, 0));
	/* the leap day of the year that has one */
	check_bsd(&(struct row){"Feb 29 00:00:00 a", "a", when_utc_ms(2012, 2, 29, 0, 0, 0, 0)}, WRITTEN);
	check_bsd(&(struct row){"Feb 29 00:00:00 a", "a", TIME_NONE}, TIME_NONE);
}

TEST(bsd_refuses)
{
	static const char *const texts[] = {"", "Nov", "Nov 16", "Nov 16 2013", "Nov 16 01:28",
	        "Nov 16 01:28:", "Nov 36 01:28:50", "Nov 16 25:28:50", "Foo 16 01:28:50", "Nov16 01:28:50",
	        "Feb 30 01:28:50", "Nov 16 01:28:500", "Nov 16 201301:28:50", "No", "Nov 16 2013 "};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct span s = span_str(texts[i]);
		struct when w;
		assert_false(when_bsd(&s, WRITTEN, &w));
		assert_true(s.p == (const uint8_t *)texts[i] && s.n == strlen(texts[i]));
	}
}

TEST(iso)
{
	static const struct row rows[] = {
	        {"2013-11-16T01:28:50 fw1", "fw1", NOTE, false},
	        {"2013-11-16 01:28:50,250 x", "x", NOTE + 250, false},
	        {"2013-11-16T01:28:50Z fw1", "fw1", NOTE, true},
	        {"2013-11-16T01:28:50.123456Z: x", "x", NOTE + 123, true},
	        {"2013-11-16T02:28:50.123+01:00 fw1", "fw1", NOTE + 123, true},
	        {"2013-11-15T21:58:50-0330 fw1", "fw1", NOTE, true},
	        {"2013-11-16 02:28:50 +0100: x", "x", NOTE, true},
	        {"2013-11-16 01:28:50 UTC x", "x", NOTE, true},
	        {"2013-11-16 01:28:50 +x", "+x", NOTE, false},
	        {"2013-11-16 01:28:50", "", NOTE, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span s = span_str(rows[i].text);
		struct when w;
		assert_true(when_iso(&s, &w));
		assert_int_equal(w.at_ms, rows[i].at_ms);
		assert_int_equal(w.has_zone, rows[i].has_zone);
		assert_true(span_is(s, rows[i].rest));
	}
}

TEST(iso_refuses)
{
	static const char *const texts[] = {"", "2013-11-16", "2013-11-16T01:28:5", "2013-11-16X01:28:50",
	        "2013-13-16T01:28:50", "2013-02-29T01:28:50", "2013/11/16T01:28:50", "x013-11-16T01:28:50",
	        "0000-11-16T01:28:50", "1969-11-16T01:28:50", "2013-11-16T24:28:50"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct span s = span_str(texts[i]);
		struct when w;
		assert_false(when_iso(&s, &w));
		assert_true(span_is(s, texts[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(utc),
	        cmocka_unit_test(bsd_forms),
	        cmocka_unit_test(bsd_years),
	        cmocka_unit_test(bsd_refuses),
	        cmocka_unit_test(iso),
	        cmocka_unit_test(iso_refuses),
	};
	return RUN(tests);
}
