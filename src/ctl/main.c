/* culvertctl: the operator's console. Source of names and options: contract.md 4. */
#include <getopt.h>
#include <stdio.h>

#include "ctl/console.h"

#define DEFAULT_SOCKET "/run/culvert/control.sock"

static void usage(FILE *to)
{
	fputs("Usage: culvertctl [--control SOCKET] [--json] [COMMAND...]\n"
	      "Asks or tells a running culvertd. Without a command: interactive, with Tab and \"?\".\n"
	      "\n"
	      "  --control SOCKET  where the gateway listens (" DEFAULT_SOCKET ")\n"
	      "  --json            answers as JSON\n"
	      "  --help, --version\n"
	      "\n"
	      "Commands, for example: show vpn-sessiondb detail anyconnect, show mtu, show asp drop,\n"
	      "show running-config all, vpn-sessiondb logoff name USER, reload. \"culvertctl '?'\" lists "
	      "all.\n"
	      "Lines can be chosen: show logging '|' include 722. Manual: culvertctl(8).\n",
	        to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	        {"control", required_argument, NULL, 'c'},
	        {"json", no_argument, NULL, 'j'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},
	        {NULL, 0, NULL, 0},
	};
	const char *path = DEFAULT_SOCKET;
	bool is_json = false;
	int o;
	/* "+": what follows the first word belongs to the command */
	while ((o = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'j':
			is_json = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("culvertctl " CULVERT_VERSION);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (optind == argc)
		return console_loop(path, is_json);
	return console_run(path, (const char *const *)(argv + optind), (size_t)(argc - optind), is_json);
}
