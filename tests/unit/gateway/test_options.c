#include "../unit.h"

#include <errno.h>

#include "gateway/options.h"
#include "io/offload.h"

static char why[OPTIONS_TEXT_MAX];

#define PARSE(o, ...)                                                                                        \
	({                                                                                                   \
		char *argv[] = {"culvertd", ##__VA_ARGS__, NULL};                                            \
		options_parse((int)N_ELEM(argv) - 1, argv, o, why);                                          \
	})

TEST(defaults)
{
	struct options o;
	assert_int_equal(PARSE(&o), 0);
	assert_int_equal(o.action, OPTIONS_RUN);
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
	        0);
	assert_string_equal(o.config_file, "a.conf");
	assert_true(o.is_foreground);
	assert_string_equal(o.state_dir, "/s");
	assert_string_equal(o.control, "/c");
	assert_int_equal(o.log_target, IPC_LOG_STDERR);
	assert_int_equal(o.action, OPTIONS_TEST);
	assert_int_equal(PARSE(&o, "--version"), 0);
	assert_int_equal(o.action, OPTIONS_VERSION);
	assert_int_equal(PARSE(&o, "--help"), 0);
	assert_int_equal(o.action, OPTIONS_HELP);
}

TEST(log_targets)
{
	struct options o;
	assert_int_equal(PARSE(&o, "--log", "/var/log/x"), 0);
	assert_int_equal(o.log_target, IPC_LOG_FILE);
	assert_string_equal(o.log_file, "/var/log/x");
	assert_int_equal(PARSE(&o, "--log=/var/log/x", "--log=syslog"), 0);
	assert_int_equal(o.log_target, IPC_LOG_SYSLOG);
	assert_null(o.log_file);
}

TEST(offloads_to_do_without)
{
	struct options o;
	assert_int_equal(PARSE(&o, "--no-offload", "tun,gro"), 0);
	assert_int_equal(o.offloads_refused, OFFLOAD_TUN | OFFLOAD_GRO);
	assert_int_equal(PARSE(&o, "--test"), 0);
	assert_int_equal(o.offloads_refused, 0);
	assert_int_equal(PARSE(&o, "--no-offload=tun,nothing"), -EINVAL);
	assert_string_equal(why, "--no-offload wants a list of tun, uso, gso, gro, queues, steer, all");
}

TEST(refused)
{
	struct options o;
	assert_int_equal(PARSE(&o, "-c"), -EINVAL);
	assert_string_equal(why, "--config needs a value (see --help)");
	assert_int_equal(PARSE(&o, "--log="), -EINVAL);
	assert_int_equal(PARSE(&o, "--test=1"), -EINVAL);
	assert_string_equal(why, "--test takes no value");
	assert_int_equal(PARSE(&o, "file"), -EINVAL);
	assert_string_equal(why, "unknown argument \"file\" (see --help)");
	assert_int_equal(PARSE(&o, "--testing"), -EINVAL);
	assert_int_equal(PARSE(&o, ""), -EINVAL);
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
