/* culvert: the client and its tools. One row per command. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "client/ask.h"
#include "client/connect.h"
#include "client/dart.h"
#include "client/diagnose_command.h"
#include "client/exits.h"
#include "client/mtu_command.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
        {"connect", connect_command, "connect to a gateway"},
        {"status", status_command, "show the running session"},
        {"stats", stats_command, "show what it has sent and received"},
        {"dart", dart_command, "gather what support needs into a zip file"},
        {"disconnect", disconnect_command, "end the running session"},
        {"mtu", mtu_command, "derive the MTU of both tunnels"},
        {"diagnose", diagnose_command, "find out from logs and configurations what is wrong"},
};

static void print_help(FILE *f)
{
	fprintf(f, "Usage: culvert COMMAND [options]\n\n");
	for (size_t i = 0; i < N_ELEM(commands); i++)
		fprintf(f, "  %-12s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\nculvert COMMAND --help tells more. Manual: culvert(1).\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("culvert %s\n", CULVERT_VERSION);
		return 0;
	}
	for (size_t i = 0; i < N_ELEM(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "culvert: there is no command \"%s\". Try: culvert --help\n", argv[1]);
	return EXIT_USAGE;
}
