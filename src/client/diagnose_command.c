#include "client/diagnose_command.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "client/diagnose_options.h"
#include "client/diagnose_progress.h"
#include "client/exits.h"
#include "diagnose/intake.h"
#include "diagnose/place.h"
#include "diagnose/report.h"

struct run {
	struct diagnose_request q;
	FILE *html;
	struct store *store;
	struct intake *intake;
	struct findings *findings;
};

static int64_t wall_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Before anything is read: a gigabyte takes its time. */
static bool open_outputs(struct run *r)
{
	if (r->q.html != NULL && (r->html = fopen(r->q.html, "we")) == NULL) {
		fprintf(stderr, "culvert: %s cannot be written: %s.\n", r->q.html, err_text(-errno));
		return false;
	}
	return true;
}

static int read_files(struct run *r)
{
	struct diagnose_progress p;
	r->store = store_new(&r->q.focus);
	if (r->store == NULL)
		return -ENOMEM;
	struct sink sink = store_sink(r->store);
	r->intake = intake_new(readers, &sink, wall_clock_ms());
	if (r->intake == NULL)
		return -ENOMEM;
	diagnose_progress_init(&p, r->q.files, r->q.n_files);
	intake_set_progress(r->intake, diagnose_progress_show, &p);
	for (size_t i = 0; i < r->q.n_files; i++)
		intake_read(r->intake, r->q.files[i]);
	diagnose_progress_done(&p);
	store_finish(r->store);
	return findings_find(r->store, &r->findings);
}

/* False: what was written is not whole. */
static bool is_written(FILE *f, const char *name)
{
	if (fflush(f) == 0 && !ferror(f))
		return true;
	fprintf(stderr, "culvert: %s cannot be written: %s.\n", name, err_text(-errno));
	return false;
}

/* Of standard output; 0: it is no terminal, or does not say. */
static int terminal_columns(void)
{
	struct winsize w;
	return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

static int write_reports(struct run *r)
{
	struct report report = {.store = r->store, .findings = r->findings};
	report.files = intake_files(r->intake, &report.n_files);
	report.n_folder_bytes = place_common_bytes(&report);
	if (r->html != NULL)
		report_html(r->html, &report);
	if (r->q.is_json) {
		int err = report_json(stdout, &report);
		if (err < 0) {
			fprintf(stderr, "culvert: %s.\n", err_text(err));
			return EXIT_USAGE;
		}
	} else {
		report_text(stdout, &report, terminal_columns());
	}
	bool is_good = is_written(stdout, "standard output");
	if (r->html != NULL)
		is_good = is_written(r->html, r->q.html) && is_good;
	return is_good ? report_exit_status(&report) : EXIT_USAGE;
}

static void run_done(struct run *r)
{
	findings_free(r->findings);
	intake_free(r->intake);
	store_free(r->store);
	if (r->html != NULL)
		(void)fclose(r->html);
}

int diagnose_command(int argc, char **argv)
{
	struct run r = {0};
	struct text say = {0};
	enum options_verdict verdict = diagnose_options_parse(argc, argv, &r.q, &say);
	int code = EXIT_USAGE;
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say);
	if (!open_outputs(&r))
		return EXIT_USAGE;
	int err = read_files(&r);
	if (err < 0)
		fprintf(stderr, "culvert: %s.\n", err_text(err));
	else
		code = write_reports(&r);
	run_done(&r);
	return code;
}
