/* culvertctl: the operator's console. Source of names and options: contract.md 4. */
#include "base/option_table.h"
#include "ctl/console.h"

#define DEFAULT_SOCKET "/run/culvert/control.sock"

struct options {
	const char *control;
	bool is_json;
};

static const struct option_row rows[] = {
        {"control", 0, "SOCKET", "where the gateway listens (" DEFAULT_SOCKET ")",
                OPTION_TEXT(struct options, control)},
        {"json", 0, NULL, "answers as JSON", OPTION_SWITCH(struct options, is_json)},
        {"version", 0, NULL, "version and exit", OPTION_VERSION},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvertctl",
        .usage = "[options] [COMMAND...]",
        .about = "Asks or tells a running culvertd. Without a command: interactive, with Tab and \"?\".",
        .end = "Commands, for example: show vpn-sessiondb detail anyconnect, show mtu, show asp drop,\n"
               "show running-config all, vpn-sessiondb logoff name USER, reload. \"culvertctl '?'\" lists "
               "all.\n"
               "Lines can be chosen: show logging '|' include 722. Manual: culvertctl(8).",
        .rows = rows,
        .n_rows = N_ELEM(rows),
        .max_words = OPTION_ANY_NUMBER,
        .is_over_at_word = true, /* what follows belongs to the command */
};

int main(int argc, char **argv)
{
	struct options o = {.control = DEFAULT_SOCKET};
	struct option_words command;
	struct text say = {0};
	enum options_verdict verdict = option_table_parse(&table, argc, argv, &o, &command, &say);
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say);
	if (command.n == 0)
		return console_loop(o.control, o.is_json);
	return console_run(o.control, (const char *const *)command.v, command.n, o.is_json);
}
