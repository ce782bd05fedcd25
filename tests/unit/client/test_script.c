#include "../unit.h"

#include <stdlib.h>

#include "client/script.h"

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(prefix_parse(span_str(text), &p), 0);
	return p;
}

static void is(const struct script_env *e, const char *name, const char *value)
{
	const char *v = script_env_get(e, name);
	assert_non_null(v);
	assert_string_equal(v, value);
}

TEST(full_environment)
{
	static char split_dns[2][PARAMS_NAME_BYTES] = {"corp.example", "lab.example"};
	struct ip_prefix include[] = {prefix("10.20.0.0/16"), prefix("fd20::/48"), prefix("10.30.0.0/24")};
	struct ip_prefix exclude[] = {prefix("10.20.5.0/24")};
	struct tunnel_params p = {
	        .ip4 = prefix("10.1.0.5/24"),
	        .ip6 = prefix("fd00::5/64"),
	        .n_dns = 2,
	        .default_domain = "corp.example",
	        .banner = "Hello there",
	        .include = include,
	        .n_include = 3,
	        .exclude = exclude,
	        .n_exclude = 1,
	        .split_dns = split_dns,
	        .n_split_dns = 2,
	        .idle_timeout_s = 1800,
	};
	p.dns[0] = addr_from_v4(0x0a000001);
	p.dns[1] = prefix("fd00::53").addr;
	struct script_facts f = {
	        .command = "true",
	        .adapter = "culvert0",
	        .gateway = addr_from_v4(0xc0000201),
	        .mtu = 1400,
	        .params = &p,
	        .cstp_options = "X-CSTP-MTU=1400",
	};
	struct script_env e;
	setenv("CISCO_BANNER", "from outside", 1);
	script_env_build(&f, SCRIPT_CONNECT, &e);
	assert_false(e.is_bad);
	is(&e, "reason", "connect");
	is(&e, "VPNGATEWAY", "192.0.2.1");
	is(&e, "TUNDEV", "culvert0");
	is(&e, "IDLE_TIMEOUT", "1800");
	is(&e, "INTERNAL_IP4_ADDRESS", "10.1.0.5");
	is(&e, "INTERNAL_IP4_NETMASK", "255.255.255.0");
	is(&e, "INTERNAL_IP4_NETMASKLEN", "24");
	is(&e, "INTERNAL_IP4_NETADDR", "10.1.0.0");
	is(&e, "INTERNAL_IP4_MTU", "1400");
	is(&e, "INTERNAL_IP4_DNS", "10.0.0.1 fd00::53");
	is(&e, "INTERNAL_IP6_ADDRESS", "fd00::5");
	is(&e, "INTERNAL_IP6_NETMASK", "fd00::5/64");
	is(&e, "CISCO_DEF_DOMAIN", "corp.example");
	is(&e, "CISCO_BANNER", "Hello there");
	is(&e, "CISCO_SPLIT_DNS", "corp.example,lab.example");
	is(&e, "CISCO_SPLIT_INC", "2");
	is(&e, "CISCO_SPLIT_INC_1_ADDR", "10.30.0.0");
	is(&e, "CISCO_SPLIT_INC_1_MASK", "255.255.255.0");
	is(&e, "CISCO_SPLIT_INC_0_MASKLEN", "16");
	is(&e, "CISCO_IPV6_SPLIT_INC", "1");
	is(&e, "CISCO_IPV6_SPLIT_INC_0_ADDR", "fd20::");
	is(&e, "CISCO_SPLIT_EXC_0_ADDR", "10.20.5.0");
	assert_null(script_env_get(&e, "CISCO_IPV6_SPLIT_INC_0_MASK"));
	is(&e, "CISCO_CSTP_OPTIONS", "X-CSTP-MTU=1400");
	assert_non_null(script_env_get(&e, "VPNPID"));
	script_env_done(&e);
}

/* The script must be told all that a gateway may say: half of it would be another network. */
TEST(as_many_routes_as_may_come)
{
	static struct ip_prefix include[PARAMS_MAX_ROUTES], exclude[PARAMS_MAX_ROUTES];
	struct tunnel_params p = {.include = include,
	        .n_include = PARAMS_MAX_ROUTES,
	        .exclude = exclude,
	        .n_exclude = PARAMS_MAX_ROUTES};
	struct script_facts f = {.command = "test \"$CISCO_SPLIT_EXC\" = 512", .adapter = "x", .params = &p};
	struct script_env e;
	for (size_t i = 0; i < PARAMS_MAX_ROUTES; i++) {
		include[i] = (struct ip_prefix){addr_from_v4(0x0a000000u + (uint32_t)i * 256), 24};
		exclude[i] = (struct ip_prefix){addr_from_v4(0xc0a80000u + (uint32_t)i), 32};
	}
	script_env_build(&f, SCRIPT_CONNECT, &e);
	assert_false(e.is_bad);
	is(&e, "CISCO_SPLIT_INC", "512");
	is(&e, "CISCO_SPLIT_EXC_511_ADDR", "192.168.1.255");
	script_env_done(&e);
	assert_int_equal(script_run(&f, SCRIPT_CONNECT), 0);
}

TEST(before_the_adapter)
{
	struct script_facts f = {.command = "true", .adapter = "", .gateway = addr_from_v4(0xc0000201)};
	struct script_env e;
	script_env_build(&f, SCRIPT_PRE_INIT, &e);
	is(&e, "reason", "pre-init");
	assert_null(script_env_get(&e, "TUNDEV"));
	assert_null(script_env_get(&e, "CISCO_BANNER"));
	script_env_done(&e);
}

TEST(exit_status_comes_back)
{
	struct script_facts f = {.command = "test \"$reason\" = reconnect || exit 7", .adapter = "x"};
	assert_int_equal(script_run(&f, SCRIPT_RECONNECT), 0);
	assert_int_equal(script_run(&f, SCRIPT_DISCONNECT), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(full_environment),
	        cmocka_unit_test(as_many_routes_as_may_come),
	        cmocka_unit_test(before_the_adapter),
	        cmocka_unit_test(exit_status_comes_back),
	};
	return RUN(tests);
}
