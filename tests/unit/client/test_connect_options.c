#include "../options_unit.h"

#include <stdio.h>

#include "client/connect_options.h"
#include "io/offload.h"

#define PARSE(o, ...) OPTIONS_PARSE(connect_options_parse, ((char *[]){"connect", ##__VA_ARGS__, NULL}), o)

TEST(defaults)
{
	struct connect_options o;
	assert_int_equal(PARSE(&o, "alice@vpn.example:4443/Staff"), OPTIONS_OK);
	assert_string_equal(o.target.user, "alice");
	assert_string_equal(o.target.host, "vpn.example");
	assert_int_equal(o.target.port, 4443);
	assert_string_equal(o.target.group, "Staff");
	assert_string_equal(o.network.interface, "culvert%d");
	assert_string_equal(o.run.control, "/run/culvert/client.sock");
	assert_int_equal(o.tunnel.mtu_policy, MTU_SEAMLESS);
	assert_int_equal(o.tunnel.dtls_give_up_s, 60);
	assert_int_equal(o.tunnel.reconnect_timeout_s, CONNECT_AS_ANNOUNCED);
	assert_int_equal(o.identity.n_pins, 0);
	assert_int_equal(o.run.verbosity, 0);
	assert_null(o.network.script);
	assert_false(o.network.has_no_script || o.tunnel.has_no_dtls || o.run.is_background);
}

TEST(all_of_the_contract)
{
	struct connect_options o;
	assert_int_equal(
	        PARSE(&o, "--password-file", "p", "--pin", "pin-sha256:a", "--pin=pin-sha256:b", "--ca", "c",
	                "--certificate", "d", "--key", "e", "--interface", "f", "--script", "g", "--no-dtls",
	                "--mtu-policy", "classic", "--dtls-give-up", "5", "--background", "--pid-file", "h",
	                "--events", "i", "host", "--reconnect-timeout", "0", "--control", "j", "--no-offload",
	                "tun,gro", "-vv"),
	        OPTIONS_OK);
	assert_string_equal(o.credential.password_file, "p");
	assert_int_equal(o.identity.n_pins, 2);
	assert_string_equal(o.identity.pins[1], "pin-sha256:b");
	assert_string_equal(o.identity.ca_file, "c");
	assert_string_equal(o.credential.certificate, "d");
	assert_string_equal(o.credential.key, "e");
	assert_string_equal(o.network.interface, "f");
	assert_string_equal(o.network.script, "g");
	assert_true(o.tunnel.has_no_dtls);
	assert_int_equal(o.tunnel.mtu_policy, MTU_CLASSIC);
	assert_int_equal(o.tunnel.dtls_give_up_s, 5);
	assert_true(o.run.is_background);
	assert_string_equal(o.run.pid_file, "h");
	assert_string_equal(o.run.events_file, "i");
	assert_int_equal(o.tunnel.reconnect_timeout_s, 0);
	assert_string_equal(o.run.control, "j");
	assert_int_equal(o.network.offloads_refused, OFFLOAD_TUN | OFFLOAD_GRO);
	assert_int_equal(o.run.verbosity, 2);
}

TEST(script_none_is_no_program)
{
	struct connect_options o;
	assert_int_equal(PARSE(&o, "host", "--script", "a", "--script", "none"), OPTIONS_OK);
	assert_true(o.network.has_no_script);
	assert_null(o.network.script);
	assert_int_equal(PARSE(&o, "host", "--script=none", "--script=a"), OPTIONS_OK);
	assert_false(o.network.has_no_script);
}

TEST(refused)
{
	static char *const rows[][4] = {
	        {"connect wants one gateway: [USER@]HOST[:PORT][/GROUP]", NULL},
	        {"connect wants one gateway: [USER@]HOST[:PORT][/GROUP]", "a", "b"},
	        {"\"a b\" is not [USER@]HOST[:PORT][/GROUP]", "a b"},
	        {"--pin wants pin-sha256: and the base64 hash of the gateway's key", "h", "--pin", "sha1:x"},
	        {"--mtu-policy is seamless or classic, not \"Classic\"", "h", "--mtu-policy", "Classic"},
	        {"--dtls-give-up wants a number of seconds from 0 to 31536000, not \"1m\"", "h",
	                "--dtls-give-up", "1m"},
	        {"--interface wants a name of 1 to 15 characters", "h", "--interface", "a/b"},
	        {"--interface wants a name of 1 to 15 characters", "h", "--interface", "sixteen-is-a-lot"},
	        {"--no-offload wants a list of " OFFLOAD_WORDS, "h", "--no-offload", "tap"},
	        {"--certificate and --key belong together", "h", "--key", "k"},
	        {"--password-stdin and --password-file exclude each other", "h", "--password-stdin",
	                "--password-file=x"},
	};
	struct connect_options o;
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		char want[200];
		char *argv[] = {"connect", rows[i][1], rows[i][2], rows[i][3], NULL};
		(void)snprintf(want, sizeof(want), "culvert: %s.\nTry: culvert connect --help\n", rows[i][0]);
		assert_int_equal(OPTIONS_PARSE(connect_options_parse, argv, &o), OPTIONS_BAD);
		assert_string_equal(said, want);
	}
}

TEST(pins_are_counted)
{
	char *argv[CONNECT_MAX_PINS + 4] = {"connect", "host"};
	struct connect_options o;
	for (size_t i = 0; i < CONNECT_MAX_PINS; i++)
		argv[2 + i] = "--pin=pin-sha256:x";
	assert_int_equal(OPTIONS_PARSE(connect_options_parse, argv, &o), OPTIONS_OK);
	assert_int_equal(o.identity.n_pins, CONNECT_MAX_PINS);
	for (size_t i = 0; i < CONNECT_MAX_PINS + 1; i++)
		argv[2 + i] = "--pin=pin-sha256:x";
	assert_int_equal(OPTIONS_PARSE(connect_options_parse, argv, &o), OPTIONS_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(defaults),
	        cmocka_unit_test(all_of_the_contract),
	        cmocka_unit_test(script_none_is_no_program),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(pins_are_counted),
	};
	return RUN(tests);
}
