#include "../unit.h"

#include <errno.h>

#include "gateway/child.h"

TEST(backoff_doubles_up_to_the_limit)
{
	static const uint32_t want_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
	for (unsigned i = 0; i < N_ELEM(want_ms); i++)
		assert_int_equal(child_backoff_ms(i + 1), want_ms[i]);
	assert_int_equal(child_backoff_ms(0), 100);
	assert_int_equal(child_backoff_ms(~0u), 10000);
}

TEST(roles_are_known_by_their_argument)
{
	enum child_role role;
	assert_int_equal(child_role_parse("--role=auth", &role), 0);
	assert_int_equal(role, CHILD_AUTH);
	assert_int_equal(child_role_parse("--role=worker", &role), 0);
	assert_int_equal(role, CHILD_WORKER);
	assert_int_equal(child_role_parse("--role=monitor", &role), -ENOENT);
	assert_int_equal(child_role_parse("--role", &role), -ENOENT);
	assert_string_equal(child_role_name(CHILD_WORKER), "worker");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(backoff_doubles_up_to_the_limit),
	        cmocka_unit_test(roles_are_known_by_their_argument),
	};
	return RUN(tests);
}
