#include "../unit.h"

#include "client/wakeup.h"

TEST(sleep_is_what_the_clocks_differ_by)
{
	struct wakeup w = {.ahead_ms = 500};
	assert_true(wakeup_slept_ms(&w, 10500, 10000) == 0);
	assert_true(wakeup_slept_ms(&w, 100500, 100000) == 0); /* time passes, no sleep */
	assert_true(wakeup_slept_ms(&w, 190500, 100000) == 90000);
	assert_true(wakeup_slept_ms(&w, 190600, 100100) == 0); /* told once */
}

TEST(small_differences_do_not_count_but_add_up)
{
	struct wakeup w = {0};
	assert_true(wakeup_slept_ms(&w, WAKEUP_MIN_MS - 1, 0) == 0);
	assert_true(wakeup_slept_ms(&w, WAKEUP_MIN_MS, 0) == WAKEUP_MIN_MS);
	assert_true(wakeup_slept_ms(&w, 0, 1000) == 0); /* never backwards */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sleep_is_what_the_clocks_differ_by),
	        cmocka_unit_test(small_differences_do_not_count_but_add_up),
	};
	return RUN(tests);
}
