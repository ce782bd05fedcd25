#include "../unit.h"

#include "base/err.h"
#include "gateway/auth_verify.h"

TEST(password_of_a_local_user)
{
	for (int has_hashes = 0; has_hashes < 2; has_hashes++) {
		const struct local_user user = {.name = "alice", .secret = "right", .kind = SECRET_PLAIN};
		assert_int_equal(auth_verify(&user, "right", has_hashes), 0);
		assert_int_equal(auth_verify(&user, "wrong", has_hashes), ERR_REFUSED);
		assert_int_equal(auth_verify(NULL, "right", has_hashes), ERR_REFUSED);
	}
}

TEST(failures_cost_time_and_success_forgives)
{
	struct auth_lockout *l;
	struct ip_addr peer = addr_from_v4(0xc0000201);
	assert_int_equal(auth_lockout_new(&l), 0);
	assert_int_equal(auth_lockout_delay_ms(l, "alice", &peer, 1000), 0);
	for (int i = 0; i < 5; i++)
		auth_lockout_note(l, "alice", &peer, false, 1000);
	assert_true(auth_lockout_delay_ms(l, "alice", &peer, 1000) > 0);
	assert_int_equal(auth_lockout_delay_ms(l, "bob", &peer, 1000), 0);
	auth_lockout_note(l, "alice", &peer, true, 1000);
	assert_int_equal(auth_lockout_delay_ms(l, "alice", &peer, 1000), 0);
	auth_lockout_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(password_of_a_local_user),
	        cmocka_unit_test(failures_cost_time_and_success_forgives),
	};
	return RUN(tests);
}
