#include "gateway/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/offload.h"

struct option_row {
	const char *name, *short_name; /* short_name NULL: none */
	bool has_value;
	void (*put)(struct options *o, const char *value);
};

static void put_config(struct options *o, const char *value)
{
	o->config_file = value;
}

static void put_state_dir(struct options *o, const char *value)
{
	o->state_dir = value;
}

static void put_control(struct options *o, const char *value)
{
	o->control = value;
}

static void put_log(struct options *o, const char *value)
{
	o->log_file = NULL;
	if (strcmp(value, "stderr") == 0) {
		o->log_target = IPC_LOG_STDERR;
	} else if (strcmp(value, "syslog") == 0) {
		o->log_target = IPC_LOG_SYSLOG;
	} else {
		o->log_target = IPC_LOG_FILE;
		o->log_file = value;
	}
}

static void put_no_offload(struct options *o, const char *value)
{
	o->is_offload_wrong = offload_parse(value, &o->offloads_refused) < 0;
}

static void put_foreground(struct options *o, const char *value)
{
	(void)value;
	o->is_foreground = true;
}

static void put_test(struct options *o, const char *value)
{
	(void)value;
	o->action = OPTIONS_TEST;
}

static void put_version(struct options *o, const char *value)
{
	(void)value;
	o->action = OPTIONS_VERSION;
}

static void put_help(struct options *o, const char *value)
{
	(void)value;
	o->action = OPTIONS_HELP;
}

static const struct option_row rows[] = {
        {"--config", "-c", true, put_config},
        {"--state-dir", NULL, true, put_state_dir},
        {"--control", NULL, true, put_control},
        {"--log", NULL, true, put_log},
        {"--no-offload", NULL, true, put_no_offload},
        {"--foreground", "-f", false, put_foreground},
        {"--test", "-t", false, put_test},
        {"--version", NULL, false, put_version},
        {"--help", "-h", false, put_help},
};

/* *ret_value: what stands behind "--name=", NULL when nothing does. */
static const struct option_row *row_find(const char *arg, const char **ret_value)
{
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		size_t n = strlen(rows[i].name);
		*ret_value = NULL;
		if (strcmp(arg, rows[i].name) == 0 ||
		        (rows[i].short_name != NULL && strcmp(arg, rows[i].short_name) == 0))
			return &rows[i];
		if (strncmp(arg, rows[i].name, n) == 0 && arg[n] == '=') {
			*ret_value = arg + n + 1;
			return &rows[i];
		}
	}
	return NULL;
}

int options_parse(int argc, char *const argv[], struct options *ret, char why[static OPTIONS_TEXT_MAX])
{
	struct options o = {
	        .config_file = OPTIONS_CONFIG_FILE,
	        .state_dir = OPTIONS_STATE_DIR,
	        .control = OPTIONS_CONTROL,
	        .log_target = IPC_LOG_SYSLOG,
	};
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = row_find(argv[i], &value);
		if (row == NULL) {
			snprintf(why, OPTIONS_TEXT_MAX, "unknown argument \"%.80s\" (see --help)", argv[i]);
			return -EINVAL;
		}
		if (value != NULL && !row->has_value) {
			snprintf(why, OPTIONS_TEXT_MAX, "%s takes no value", row->name);
			return -EINVAL;
		}
		if (row->has_value && value == NULL)
			value = i + 1 < argc ? argv[++i] : "";
		if (row->has_value && value[0] == '\0') {
			snprintf(why, OPTIONS_TEXT_MAX, "%s needs a value (see --help)", row->name);
			return -EINVAL;
		}
		row->put(&o, value);
		if (o.is_offload_wrong) {
			snprintf(why, OPTIONS_TEXT_MAX, "--no-offload wants a list of " OFFLOAD_WORDS);
			return -EINVAL;
		}
	}
	*ret = o;
	return 0;
}

const char *options_help(void)
{
	return "usage: culvertd [-c FILE] [OPTION]...\n"
	       "\n"
	       "  -c, --config FILE    configuration (" OPTIONS_CONFIG_FILE ")\n"
	       "  -t, --test           check the configuration and exit: 0 when it can be used, else 1\n"
	       "  -f, --foreground     stay attached to the terminal; say \"culvertd: ready\" when it is so\n"
	       "      --state-dir DIR  what must survive a restart (" OPTIONS_STATE_DIR ")\n"
	       "      --control SOCKET where culvertctl finds the gateway (" OPTIONS_CONTROL ")\n"
	       "      --log TARGET     stderr, syslog or the path of a file (syslog)\n"
	       "      --no-offload LIST  do without these: " OFFLOAD_WORDS "\n"
	       "      --version        version and exit\n"
	       "  -h, --help           this text\n"
	       "\n"
	       "Signals: HUP reads the configuration again, TERM ends (clients may come back), INT ends and\n"
	       "tells the clients. Details: culvertd(8).\n";
}
