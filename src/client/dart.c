#include "client/dart.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <zip.h>

#include "base/err.h"
#include "client/connect_options.h"
#include "client/control.h"
#include "client/dart_gather.h"
#include "client/dart_text.h"
#include "client/dns.h"
#include "client/exits.h"
#include "client/export.h"
#include "io/tls.h"

#define DART_MAX_PARTS     16
#define DART_MAX_QUESTIONS 64 /* for events: each answer holds some thirty or more */

struct dart_options {
	const char *out; /* NULL: by date and time */
	const char *control, *events;
};

struct dart_part {
	const char *name, *about;
	struct text text; /* scrubbed */
};

struct dart {
	struct dart_part parts[DART_MAX_PARTS];
	size_t n;
	char session[256]; /* for the summary: is one running */
};

/* ---- parts ---- */

/* Takes raw over. Everything in the bundle comes through here, and so through dart_scrub(). */
static void part_add(struct dart *d, const char *name, const char *about, struct text *raw)
{
	if (d->n < DART_MAX_PARTS && raw->n > 0) {
		struct dart_part *p = &d->parts[d->n++];
		*p = (struct dart_part){.name = name, .about = about};
		dart_scrub(span_of(raw->p, raw->n), &p->text);
	}
	text_done(raw);
}

/* NULL: no session, or no right. */
static json_t *ask(const char *control, const char *word)
{
	struct text why = {0};
	json_t *o = control_ask_json(control, word, &why);
	text_done(&why);
	return o;
}

/* One answer's events; returns the number to ask for next, or -1 at the end. */
static long long take_events(json_t *answer, long long from, struct text *out)
{
	size_t i;
	json_t *e, *events = json_object_get(answer, "events");
	json_array_foreach(events, i, e)
	{
		char *line = json_dumps(e, JSON_COMPACT);
		if (line != NULL)
			(void)dart_event_put(span_str(line), out);
		free(line);
	}
	long long next = json_integer_value(json_object_get(answer, "next"));
	return next > from && json_array_size(events) > 0 ? next : -1;
}

static void ask_events(const char *control, struct text *out)
{
	long long from = 0;
	for (int i = 0; i < DART_MAX_QUESTIONS && from >= 0; i++) {
		char word[CONTROL_WORD_MAX];
		(void)snprintf(word, sizeof(word), "events %lld", from);
		json_t *answer = ask(control, word);
		from = take_events(answer, from, out);
		json_decref(answer);
	}
}

/* From the file if one is named, else from the session's memory. */
static int add_events(struct dart *d, const struct dart_options *o)
{
	struct text t = {0};
	int err = 0;
	if (o->events != NULL)
		err = dart_put_log(o->events, &t);
	else
		ask_events(o->control, &t);
	if (t.n > 0)
		dart_events_end(&t);
	part_add(d, "AnyConnect.txt", "event log", &t);
	return err;
}

static void add_session(struct dart *d, const char *control)
{
	struct text t = {0};
	json_t *status = ask(control, "status"), *stats = ask(control, "stats");
	(void)snprintf(d->session, sizeof(d->session),
	        status != NULL ? "A session is running (%s)."
	                       : "No session is running (nothing answers at %s).",
	        control);
	char *line = status != NULL ? json_dumps(status, JSON_INDENT(2)) : NULL;
	if (line != NULL)
		text_fmt(&t, "%s\n", line);
	free(line);
	part_add(d, "status.json", "state of the session", &t);
	if (stats != NULL)
		export_stats(stats, &t);
	part_add(d, "stats.txt", "statistics of the session", &t);
	json_decref(status);
	json_decref(stats);
}

static void add_machine(struct dart *d)
{
	static const struct {
		const char *file, *about;
		const char *argv[3][8];
	} rows[] = {
	        {"interfaces.txt", "network interfaces with counters", {{"-s", "link", "show"}}},
	        {"addresses.txt", "addresses", {{"address", "show"}}},
	        {"routes.txt", "routes of all tables, and rules",
	                {{"-4", "route", "show", "table", "all"}, {"-6", "route", "show", "table", "all"},
	                        {"rule", "show"}}},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text t = {0};
		for (size_t k = 0; k < 3 && rows[i].argv[k][0] != NULL; k++)
			dart_run_ip(rows[i].argv[k], &t);
		part_add(d, rows[i].file, rows[i].about, &t);
	}
	struct text t = {0};
	dart_put_file(DNS_RESOLV_CONF, &t);
	dart_put_file("/run/systemd/resolve/resolv.conf", &t);
	dart_put_file("/etc/hosts", &t);
	part_add(d, "dns.txt", "name servers and hosts", &t);
}

static void add_versions(struct dart *d)
{
	struct text t = {0};
	text_fmt(&t, "culvert %s\n%s\nlibzip %s\n", CULVERT_VERSION, tls_library_version(),
	        zip_libzip_version());
	export_os(&t);
	part_add(d, "versions.txt", "programs, libraries, kernel", &t);
}

static void add_summary(struct dart *d)
{
	struct text t = {0};
	char when[64];
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &tm);
	text_fmt(&t, "Culvert diagnostic bundle, made %s\n%s\n\nContents:\n", when, d->session);
	for (size_t i = 0; i < d->n; i++)
		text_fmt(&t, "  %-16s %8zu bytes  %s\n", d->parts[i].name, d->parts[i].text.n,
		        d->parts[i].about);
	text_str(&t, "\nCookies, session tokens, passwords and keys are not in it. Names, addresses and "
	             "routes are.\n");
	part_add(d, "summary.txt", "this list", &t);
}

/* ---- the file ---- */

static bool zip_put(zip_t *z, const struct dart_part *p)
{
	zip_source_t *src = zip_source_buffer(z, p->text.p, p->text.n, 0);
	if (src == NULL)
		return false;
	if (zip_file_add(z, p->name, src, 0) >= 0)
		return true;
	zip_source_free(src);
	return false;
}

static int zip_write(const struct dart *d, const char *path)
{
	int code = 0;
	zip_error_t e;
	zip_t *z = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
	if (z == NULL) {
		zip_error_init_with_code(&e, code);
		fprintf(stderr, "culvert: %s: %s.\n", path, zip_error_strerror(&e));
		zip_error_fini(&e);
		return EXIT_USAGE;
	}
	bool is_good = true;
	for (size_t i = 0; i < d->n; i++)
		is_good = is_good && text_ok(&d->parts[i].text) && zip_put(z, &d->parts[i]);
	if (is_good && zip_close(z) == 0)
		return 0;
	fprintf(stderr, "culvert: %s cannot be written: %s.\n", path, zip_strerror(z));
	zip_discard(z);
	return EXIT_USAGE;
}

static void name_by_time(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);
	strftime(buf, size, "DARTBundle_%m%d_%H%M.zip", &tm);
}

/* ---- the command ---- */

static const struct option_row rows[] = {
        {"output", 'o', "FILE.zip", "name of the bundle (default DARTBundle_MMDD_HHMM.zip, here)",
                OPTION_TEXT(struct dart_options, out)},
        {"control", 0, "SOCKET", "of the running session (default " CONNECT_DEFAULT_CONTROL ")",
                OPTION_TEXT(struct dart_options, control)},
        {"events", 0, "FILE", "event log to use instead of the session's memory",
                OPTION_TEXT(struct dart_options, events)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvert",
        .command = "dart",
        .usage = "[options]",
        .about = "Gathers what support needs: events, statistics, state, interfaces, routes, name servers, "
                 "versions.\n"
                 "Cookies, passwords and keys are not in it.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
};

static int dart_make(const struct dart_options *o)
{
	struct dart *d = calloc(1, sizeof(*d));
	char name[64];
	if (d == NULL)
		return EXIT_USAGE;
	name_by_time(name, sizeof(name));
	const char *path = o->out != NULL ? o->out : name;
	int code = EXIT_USAGE;
	int err = add_events(d, o);
	if (err) {
		fprintf(stderr, "culvert: %s: %s.\n", o->events, err_text(err));
	} else {
		add_session(d, o->control);
		add_machine(d);
		add_versions(d);
		add_summary(d);
		umask(077); /* names and addresses are nobody else's business */
		code = zip_write(d, path);
		if (code == 0)
			printf("%s\n", path);
	}
	for (size_t i = 0; i < d->n; i++)
		text_done(&d->parts[i].text);
	free(d);
	return code;
}

int dart_command(int argc, char **argv)
{
	struct dart_options o = {.control = CONNECT_DEFAULT_CONTROL};
	struct option_words words;
	struct text say = {0};
	enum options_verdict verdict = option_table_parse(&table, argc, argv, &o, &words, &say);
	return verdict == OPTIONS_OK ? dart_make(&o) : option_table_say(verdict, &say);
}
