#include "gateway/options.h"

#include <string.h>

#include "io/offload.h"

static bool log_take(void *at, const char *value, struct text *why)
{
	struct options *o = at;
	(void)why;
	o->log_file = NULL;
	if (strcmp(value, "stderr") == 0) {
		o->log_target = IPC_LOG_STDERR;
	} else if (strcmp(value, "syslog") == 0) {
		o->log_target = IPC_LOG_SYSLOG;
	} else {
		o->log_target = IPC_LOG_FILE;
		o->log_file = value;
	}
	return true;
}

static const struct option_row rows[] = {
        {"config", 'c', "FILE", "configuration (" OPTIONS_CONFIG_FILE ")",
                OPTION_TEXT(struct options, config_file)},
        {"test", 't', NULL, "check the configuration and exit: 0 when it can be used, else 1",
                OPTION_SWITCH(struct options, is_test)},
        {"foreground", 'f', NULL, "stay attached to the terminal; say \"culvertd: ready\" when it is so",
                OPTION_SWITCH(struct options, is_foreground)},
        {"state-dir", 0, "DIR", "what must survive a restart (" OPTIONS_STATE_DIR ")",
                OPTION_TEXT(struct options, state_dir)},
        {"control", 0, "SOCKET", "where culvertctl finds the gateway (" OPTIONS_CONTROL ")",
                OPTION_TEXT(struct options, control)},
        {"log", 0, "TARGET", "stderr, syslog or the path of a file (syslog)", OPTION_TAKE_ALL(log_take)},
        {"no-offload", 0, "LIST", "do without these: " OFFLOAD_WORDS,
                OPTION_TAKE(struct options, offloads_refused, offload_take)},
        {"version", 0, NULL, "version and exit", OPTION_VERSION},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvertd",
        .usage = "[-c FILE] [options]",
        .about = "VPN gateway for AnyConnect-compatible clients.",
        .end = "Signals: HUP reads the configuration again, TERM ends (clients may come back), INT ends and\n"
               "tells the clients. Details: culvertd(8).",
        .rows = rows,
        .n_rows = N_ELEM(rows),
};

enum options_verdict options_parse(int argc, char **argv, struct options *ret, struct text *say)
{
	struct option_words words;
	struct options o = {
	        .config_file = OPTIONS_CONFIG_FILE,
	        .state_dir = OPTIONS_STATE_DIR,
	        .control = OPTIONS_CONTROL,
	        .log_target = IPC_LOG_SYSLOG,
	};
	enum options_verdict v = option_table_parse(&table, argc, argv, &o, &words, say);
	if (v == OPTIONS_OK)
		*ret = o;
	return v;
}
