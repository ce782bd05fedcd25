#include "../options_unit.h"

#include "gateway/options.h"
#include "io/offload.h"

#define PARSE(o, ...) OPTIONS_PARSE(options_parse, ((char *[]){"culvertd", ##__VA_ARGS__, NULL}), o)

TEST(defaults)
{
	struct options o;
	assert_int_equal(PARSE(&o), OPTIONS_OK);
	assert_false(o.is_test);
	assert_string_equal(o.config_file, "/etc/culvert/culvert.conf");
	assert_string_equal(o.state_dir, "/var/lib/culvert");
	assert_string_equal(o.control, "/run/culvert/control.sock");
	assert_int_equal(o.log_target, IPC_LOG_SYSLOG);
	assert_false(o.is_foreground);
}

TEST(all_of_the_contract)
{
	struct options o;
	assert_int_equal(PARSE(&o, "-c", "a.conf", "--foreground", "--state-dir", "/s", "--control", "/c",
	                         "--log", "stderr", "--test"),
	        OPTIONS_OK);
	assert_string_equal(o.config_file, "a.conf");
	assert_true(o.is_foreground);
	assert_string_equal(o.state_dir, "/s");
	assert_string_equal(o.control, "/c");
	assert_int_equal(o.log_target, IPC_LOG_STDERR);
	assert_true(o.is_test);
	assert_int_equal(PARSE(&o, "--version"), OPTIONS_HELP);
	assert_int_equal(PARSE(&o, "--help"), OPTIONS_HELP);
	assert_int_equal(PARSE(&o, "-ft"), OPTIONS_OK);
	assert_true(o.is_foreground && o.is_test);
}

TEST(log_targets)
{
	struct options o;
	assert_int_equal(PARSE(&o, "--log", "/var/log/x"), OPTIONS_OK);
	assert_int_equal(o.log_target, IPC_LOG_FILE);
	assert_string_equal(o.log_file, "/var/log/x");
	assert_int_equal(PARSE(&o, "--log=/var/log/x", "--log=syslog"), OPTIONS_OK);
	assert_int_equal(o.log_target, IPC_LOG_SYSLOG);
	assert_null(o.log_file);
}

TEST(offloads_to_do_without)
{
	struct options o;
	assert_int_equal(PARSE(&o, "--no-offload", "tun,gro"), OPTIONS_OK);
	assert_int_equal(o.offloads_refused, OFFLOAD_TUN | OFFLOAD_GRO);
	assert_int_equal(PARSE(&o, "--test"), OPTIONS_OK);
	assert_int_equal(o.offloads_refused, 0);
	assert_int_equal(PARSE(&o, "--no-offload=tun,nothing"), OPTIONS_BAD);
	assert_non_null(strstr(said, "--no-offload wants a list of " OFFLOAD_WORDS));
}

TEST(refused)
{
	struct options o;
	assert_int_equal(PARSE(&o, "-c"), OPTIONS_BAD);
	assert_string_equal(said, "culvertd: --config needs a value: FILE.\nTry: culvertd --help\n");
	assert_int_equal(PARSE(&o, "--log="), OPTIONS_BAD);
	assert_int_equal(PARSE(&o, "--test=1"), OPTIONS_BAD);
	assert_int_equal(PARSE(&o, "file"), OPTIONS_BAD);
	assert_string_equal(said, "culvertd: unknown argument \"file\".\nTry: culvertd --help\n");
	assert_int_equal(PARSE(&o, "--testing"), OPTIONS_BAD);
	assert_int_equal(PARSE(&o, ""), OPTIONS_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(defaults),
	        cmocka_unit_test(all_of_the_contract),
	        cmocka_unit_test(log_targets),
	        cmocka_unit_test(offloads_to_do_without),
	        cmocka_unit_test(refused),
	};
	return RUN(tests);
}
