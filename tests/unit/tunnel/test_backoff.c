#include "../unit.h"

#include "tunnel/backoff.h"

TEST(waits_grow_with_jitter)
{
	struct backoff b;
	backoff_begin(&b, 1000, 60000);
	for (ms_t whole_ms = 100, i = 0; i < 12; i++) {
		struct backoff same = b;
		assert_int_equal(backoff_next_ms(&same, 1000, 0), 1000 + whole_ms / 2);
		ms_t at_ms = backoff_next_ms(&b, 1000, 0xdeadbeef);
		assert_in_range(at_ms, 1000 + whole_ms / 2, 1000 + whole_ms);
		whole_ms = whole_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : whole_ms * 2;
	}
	assert_int_equal(b.tries, 12);
}

TEST(limit)
{
	struct backoff b;
	backoff_begin(&b, 1000, 500);
	assert_false(backoff_is_over(&b, 1499));
	assert_true(backoff_is_over(&b, 1500));
	backoff_begin(&b, 1000, MS_NEVER);
	assert_false(backoff_is_over(&b, MS_NEVER - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(waits_grow_with_jitter), cmocka_unit_test(limit)};
	return RUN(tests);
}
