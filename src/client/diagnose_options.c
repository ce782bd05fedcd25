#include "client/diagnose_options.h"

#include <stdio.h>

#include "base/parse.h"
#include "diagnose/when.h"

#define BACK_MAX 100000 /* of a unit of --since */

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

static bool since_take(void *at, const char *value, struct text *why)
{
	struct store_focus *f = at;
	f->since_ms = TIME_NONE;
	f->since_back_ms = 0;
	if (back_parse(span_str(value), &f->since_back_ms) || time_parse(value, &f->since_ms))
		return true;
	text_fmt(why,
	        "--since is a time like 2013-11-16T01:28:50 or 2013-11-16, or how long before the newest "
	        "line: 90s, 45m, 2h, 3d, 1w; not \"%s\"",
	        value);
	return false;
}

static bool ip_take(void *at, const char *value, struct text *why)
{
	if (addr_parse(span_str(value), at) == 0)
		return true;
	text_fmt(why, "--ip wants an address, not \"%s\"", value);
	return false;
}

static const struct option_row rows[] = {
        {"user", 0, "NAME", "whom it is about: the timeline shows this user",
                OPTION_TEXT(struct diagnose_request, focus.user)},
        {"ip", 0, "ADDRESS", "the same by an address, of the Internet or in the tunnel",
                OPTION_TAKE(struct diagnose_request, focus.ip, ip_take)},
        {"since", 0, "TIME", "only what happened since then: 2013-11-16, \"2013-11-16 01:28\", or 2h, 3d",
                OPTION_TAKE(struct diagnose_request, focus, since_take)},
        {"json", 0, NULL, "as JSON", OPTION_SWITCH(struct diagnose_request, is_json)},
        {"html", 0, "FILE", "writes a page with the timeline as a picture, too",
                OPTION_TEXT(struct diagnose_request, html)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvert",
        .command = "diagnose",
        .usage = "FILE... [options]",
        .about = "Reads logs and configurations of a gateway, a client, or both: says what happened, why, "
                 "which "
                 "lines\n"
                 "prove it, and what cures it. FILE is an ASA's configuration, syslog or show output, a DART "
                 "bundle,\n"
                 "a log of AnyConnect, openconnect, ocserv or Culvert; gzip, zip, a folder of such, or - for "
                 "standard\n"
                 "input. Needs no network, no rights, and nothing of Culvert to be running.",
        .end = "Exit status: 0 nothing wrong was found, 10 findings, 1 usage, 2 a file could not be read.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
        .min_words = 1,
        .max_words = OPTION_ANY_NUMBER,
        .words = "files to read",
};

enum options_verdict diagnose_options_parse(
        int argc, char **argv, struct diagnose_request *ret, struct text *say)
{
	struct option_words files;
	struct diagnose_request q = {.focus = {.since_ms = TIME_NONE}};
	enum options_verdict v = option_table_parse(&table, argc, argv, &q, &files, say);
	if (v != OPTIONS_OK)
		return v;
	q.files = files.v;
	q.n_files = files.n;
	*ret = q;
	return OPTIONS_OK;
}
