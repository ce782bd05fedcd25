#include "../unit.h"

#include <errno.h>

#include "client/target.h"

static void check(const char *in, const char *user, const char *host, unsigned port, const char *group)
{
	struct target t;
	assert_int_equal(target_parse(in, &t), 0);
	assert_string_equal(t.user, user);
	assert_string_equal(t.host, host);
	assert_int_equal(t.port, port);
	assert_string_equal(t.group, group);
}

TEST(forms_of_the_argument)
{
	check("vpn.example", "", "vpn.example", 443, "");
	check("https://vpn.example/", "", "vpn.example", 443, "");
	check("alice@vpn.example:8443/Staff", "alice", "vpn.example", 8443, "Staff");
	check("alice@corp.example@vpn.example", "alice@corp.example", "vpn.example", 443, "");
	check("10.0.0.1:4443", "", "10.0.0.1", 4443, "");
	check("[fd00::1]:4443/G", "", "fd00::1", 4443, "G");
	check("bob@[fd00::1]", "bob", "fd00::1", 443, "");
	check("fd00::1", "", "fd00::1", 443, "");
	check("vpn.example/Second group", "", "vpn.example", 443, "Second group");
}

TEST(refused)
{
	static const char *const bad[] = {"", "alice@", "vpn.example:", "vpn.example:0", "vpn.example:65536",
	        "vpn.example:x", "[fd00::1", "[10.0.0.1]:443", "vpn example", "[fd00::1]443", "/group"};
	struct target t;
	for (size_t i = 0; i < N_ELEM(bad); i++)
		assert_int_equal(target_parse(bad[i], &t), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(forms_of_the_argument),
	        cmocka_unit_test(refused),
	};
	return RUN(tests);
}
