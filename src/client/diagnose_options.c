#include "client/diagnose_options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/parse.h"
#include "diagnose/when.h"

#define BACK_MAX 100000 /* of a unit of --since */

enum option_id {
	OPT_JSON = 256,
	OPT_HTML,
	OPT_USER,
	OPT_IP,
	OPT_SINCE,
};

static const struct option_row {
	const char *name;
	int id;
	const char *arg; /* NULL: a switch */
	const char *help;
} rows[] = {
        {"user", OPT_USER, "NAME", "whom it is about: the timeline shows this user"},
        {"ip", OPT_IP, "ADDRESS", "the same by an address, of the Internet or in the tunnel"},
        {"since", OPT_SINCE, "TIME",
                "only what happened since then: 2013-11-16, \"2013-11-16 01:28\", or 2h, 3d"},
        {"json", OPT_JSON, NULL, "as JSON"},
        {"html", OPT_HTML, "FILE", "writes a page with the timeline as a picture, too"},
        {"help", 'h', NULL, "this text"},
};

void diagnose_options_print_help(void)
{
	printf("Usage: culvert diagnose FILE... [options]\n\n"
	       "Reads logs and configurations of a gateway, a client, or both: says what happened, why, "
	       "which "
	       "lines\n"
	       "prove it, and what cures it. FILE is an ASA's configuration, syslog or show output, a DART "
	       "bundle,\n"
	       "a log of AnyConnect, openconnect, ocserv or Culvert; gzip, zip, a folder of such, or - for "
	       "standard\n"
	       "input. Needs no network, no rights, and nothing of Culvert to be running.\n\n");
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		char left[48];
		(void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
		        rows[i].arg ? rows[i].arg : "");
		printf("  %-16s %s\n", left, rows[i].help);
	}
	printf("\nExit status: 0 nothing wrong was found, 10 findings, 1 usage, 2 a file could not be "
	       "read.\n");
}

/* "90s", "45m", "2h", "3d": so long before the newest line. */
static bool back_parse(struct span s, int64_t *ret)
{
	static const struct {
		char letter;
		uint32_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	uint32_t n;
	if (s.n < 2 || parse_u32(span_of(s.p, s.n - 1), 1, BACK_MAX, &n) < 0)
		return false;
	for (size_t i = 0; i < N_ELEM(units); i++) {
		if (s.p[s.n - 1] == units[i].letter) {
			*ret = (int64_t)n * units[i].s * 1000;
			return true;
		}
	}
	return false;
}

/* A date alone, or without seconds, is made whole. */
static bool time_parse(const char *text, int64_t *ret)
{
	static const char *const ends[] = {"", ":00", " 00:00:00"};
	for (size_t i = 0; i < N_ELEM(ends); i++) {
		char whole[64];
		struct when w;
		int n = snprintf(whole, sizeof(whole), "%s%s", text, ends[i]);
		struct span s = span_str(whole);
		if (n < 0 || (size_t)n >= sizeof(whole) || !when_iso(&s, &w) || s.n > 0)
			continue;
		*ret = w.at_ms;
		return true;
	}
	return false;
}

static bool since_take(struct diagnose_request *q, const char *arg)
{
	q->focus.since_ms = TIME_NONE;
	q->focus.since_back_ms = 0;
	if (back_parse(span_str(arg), &q->focus.since_back_ms) || time_parse(arg, &q->focus.since_ms))
		return true;
	fprintf(stderr,
	        "culvert: --since is a time like 2013-11-16T01:28:50 or 2013-11-16, or how long before the "
	        "newest line: 90s, 45m, 2h, 3d, 1w. Not \"%s\".\n",
	        arg);
	return false;
}

static bool option_take(struct diagnose_request *q, int id, const char *arg)
{
	switch (id) {
	case OPT_JSON:
		q->is_json = true;
		return true;
	case OPT_HTML:
		q->html = arg;
		return true;
	case OPT_USER:
		q->focus.user = arg;
		if (arg[0] == '\0')
			fprintf(stderr, "culvert: --user wants a name.\n");
		return arg[0] != '\0';
	case OPT_IP:
		if (addr_parse(span_str(arg), &q->focus.ip) == 0)
			return true;
		fprintf(stderr, "culvert: --ip wants an address, not \"%s\".\n", arg);
		return false;
	case OPT_SINCE:
		return since_take(q, arg);
	default:
		return false; /* getopt has said what is wrong */
	}
}

enum options_verdict diagnose_options_parse(int argc, char **argv, struct diagnose_request *ret)
{
	struct option longs[N_ELEM(rows) + 1] = {0};
	struct diagnose_request q = {.focus = {.since_ms = TIME_NONE}};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		longs[i] = (struct option){
		        rows[i].name, rows[i].arg ? required_argument : no_argument, NULL, rows[i].id};
	optind = 1;
	for (int id; (id = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
		if (id == 'h')
			return OPTIONS_HELP;
		if (!option_take(&q, id, optarg))
			return OPTIONS_BAD;
	}
	if (optind >= argc) {
		fprintf(stderr, "culvert: diagnose wants files to read. Try: culvert diagnose --help\n");
		return OPTIONS_BAD;
	}
	q.files = argv + optind;
	q.n_files = (size_t)(argc - optind);
	*ret = q;
	return OPTIONS_OK;
}
