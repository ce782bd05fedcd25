#include "client/ask.h"

#include <stdio.h>

#include "client/connect_options.h"
#include "client/control.h"
#include "client/exits.h"
#include "client/export.h"

/* ---- text of that JSON ---- */

static long long int_of(json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print_channel(const char *name, json_t *c)
{
	printf("%-12s %s, %s %s, MTU %lld", name, export_value(c, "state"), export_value(c, "protocol"),
	        export_value(c, "cipher"), int_of(c, "mtu"));
	if (json_is_integer(json_object_get(c, "rtt_ms")))
		printf(", RTT %lld ms", int_of(c, "rtt_ms"));
	printf("\n");
}

static void print_status(json_t *o)
{
	printf("%-12s %s\n", "State", export_value(o, "state"));
	printf("%-12s %s\n", "Gateway", export_value(o, "gateway"));
	printf("%-12s %s\n", "User", export_value(o, "user"));
	printf("%-12s %s\n", "Group", export_value(o, "group"));
	printf("%-12s %s %s\n", "Addresses", export_value(o, "inner4"), export_value(o, "inner6"));
	printf("%-12s %s, MTU %lld\n", "Adapter", export_value(o, "adapter"), int_of(o, "adapter_mtu"));
	printf("%-12s %s (%s)\n", "Data over", export_value(o, "active"), export_value(o, "why"));
	if (json_is_integer(json_object_get(o, "path_limit")))
		printf("%-12s %lld bytes (%s)\n", "Path limit", int_of(o, "path_limit"),
		        export_value(o, "path_state"));
	print_channel("TLS", json_object_get(o, "tls"));
	print_channel("DTLS", json_object_get(o, "dtls"));
	json_t *last = json_object_get(o, "last_switch");
	printf("%-12s %lld", "Switches", int_of(o, "switches"));
	if (json_is_object(last))
		printf(", last from %s to %s: %s, %lld ms", export_value(last, "from"),
		        export_value(last, "to"), export_value(last, "cause"), int_of(last, "gap_ms"));
	printf("\n%-12s %lld, adapter disabled %lld times\n", "Reconnects", int_of(o, "reconnects"),
	        int_of(o, "adapter_bounces"));
}

/* ---- the asking side ---- */

struct ask_options {
	const char *control;
	bool is_json;
};

static const struct option_row rows[] = {
        {"json", 0, NULL, "as JSON", OPTION_SWITCH(struct ask_options, is_json)},
        {"control", 0, "SOCKET", "of the running session (default " CONNECT_DEFAULT_CONTROL ")",
                OPTION_TEXT(struct ask_options, control)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

/* argv[0] is the word to ask as well. */
static int ask_command(int argc, char **argv, const char *about, void (*print)(json_t *o))
{
	const struct option_table table = {
	        .program = "culvert",
	        .command = argv[0],
	        .usage = "[options]",
	        .about = about,
	        .rows = rows,
	        .n_rows = N_ELEM(rows),
	};
	struct ask_options opt = {.control = CONNECT_DEFAULT_CONTROL};
	struct option_words words;
	struct text say = {0};
	enum options_verdict verdict = option_table_parse(&table, argc, argv, &opt, &words, &say);
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say);
	json_t *o = control_ask_json(opt.control, argv[0], &say);
	if (o == NULL)
		fprintf(stderr, "culvert: %s.\n", text_cstr(&say));
	text_done(&say);
	if (o == NULL)
		return EXIT_UNREACHABLE;
	if (opt.is_json) {
		json_dumpf(o, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print(o);
	}
	json_decref(o);
	return 0;
}

static void print_stats(json_t *o)
{
	struct text t = {0};
	export_stats(o, &t);
	fputs(text_cstr(&t), stdout);
	text_done(&t);
}

static void print_nothing(json_t *o)
{
	(void)o;
}

int status_command(int argc, char **argv)
{
	return ask_command(argc, argv, "Shows the state of the running session.", print_status);
}

int stats_command(int argc, char **argv)
{
	return ask_command(argc, argv, "Shows what the running session has sent and received.", print_stats);
}

int disconnect_command(int argc, char **argv)
{
	return ask_command(argc, argv, "Ends the running session.", print_nothing);
}
