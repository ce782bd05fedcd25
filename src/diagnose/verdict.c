/* The few lines that are read first, and what the run could not do. */
#include "diagnose/escape.h"
#include "diagnose/timeline.h"

static void say_nothing_wrong(struct text *t, const struct report *r)
{
	uint64_t n_lines = 0, n_taken = 0;
	for (size_t i = 0; i < r->n_files; i++) {
		n_lines += r->files[i].n_lines;
		n_taken += r->files[i].n_taken;
	}
	if (n_taken == 0)
		text_str(t, "No file was recognised: nothing can be said.");
	else
		text_fmt(t, "Nothing wrong was found (%llu lines read, %llu of them understood).",
		        (unsigned long long)n_lines, (unsigned long long)n_taken);
}

static void say_scope(struct text *t, const struct finding *f)
{
	if (f->n_all_users > 0)
		text_fmt(t, "%zu %s", f->n_all_users, f->n_all_users == 1 ? "user" : "users");
	if (f->first_at_ms != TIME_NONE) {
		bool is_moment = when_is_moment(f->first_at_ms, f->last_at_ms);
		if (f->n_all_users > 0)
			text_str(t, is_moment ? ", at " : ", from ");
		else
			text_str(t, is_moment ? "At " : "From ");
		when_say_range(t, f->first_at_ms, f->last_at_ms);
	}
	text_fmt(t, "%s%s (%s).", t->n > 0 ? "; " : "", f->id, confidence_name(f->confidence));
}

/* The remedy's lines one behind the other, without blanks in front. */
static void say_cure(struct text *t, const struct finding *f)
{
	struct span lines = span_str(text_cstr(&f->remedies[0].config));
	text_fmt(t, "Cure: %s", text_cstr(&f->remedies[0].title));
	bool is_short = lines.n > 0 && lines.n < 120;
	for (const char *sep = " - "; is_short && lines.n > 0; sep = " / ") {
		text_str(t, sep);
		text_put(t, span_trim(span_cut(&lines, '\n')));
	}
}

static void say_others(struct text *t, const struct report *r)
{
	text_str(t, "Also: ");
	for (size_t i = 1; i < findings_n(r->findings); i++)
		text_fmt(t, "%s%s", i == 1 ? "" : ", ", findings_at(r->findings, i)->id);
}

static void say_problems(struct text *t, const struct report *r)
{
	size_t n_errors = 0, n_strange = 0;
	for (size_t i = 0; i < r->n_files; i++) {
		n_errors += r->files[i].error != NULL;
		n_strange += r->files[i].error == NULL && r->files[i].kinds == 0;
	}
	if (n_errors > 0)
		text_fmt(t, "%zu %s could not be read.%s", n_errors, n_errors == 1 ? "file" : "files",
		        n_strange > 0 ? " " : "");
	if (n_strange > 0)
		text_fmt(t, "%zu %s not recognised.", n_strange, n_strange == 1 ? "file was" : "files were");
}

size_t verdict_make(struct text ret[static VERDICT_MAX], const struct report *r)
{
	size_t n = 0;
	for (size_t i = 0; i < VERDICT_MAX; i++)
		ret[i] = (struct text){0};
	if (findings_n(r->findings) == 0) {
		say_nothing_wrong(&ret[n++], r);
	} else {
		const struct finding *f = findings_at(r->findings, 0);
		text_str(&ret[n++], text_cstr(&f->verdict));
		say_scope(&ret[n++], f);
		if (f->n_remedies > 0)
			say_cure(&ret[n++], f);
		if (findings_n(r->findings) > 1)
			say_others(&ret[n++], r);
	}
	say_problems(&ret[n], r);
	return ret[n].n > 0 ? n + 1 : n;
}

static void notice(struct text *ret, size_t *n, uint64_t count, const char *what)
{
	if (count > 0)
		text_fmt(&ret[(*n)++], "%llu %s", (unsigned long long)count, what);
}

size_t notices_make(struct text ret[static NOTICES_MAX], const struct report *r)
{
	struct store_counts c = store_counts(r->store);
	size_t n = 0;
	for (size_t i = 0; i < NOTICES_MAX; i++)
		ret[i] = (struct text){0};
	notice(ret, &n, c.n_over_limit,
	        "events were not kept: there is room for so many only. Ask for less with --user, --ip or "
	        "--since.");
	if (n > 0 && c.first_lost_at_ms != TIME_NONE) {
		text_str(&ret[0], " The first one: ");
		when_say(&ret[0], c.first_lost_at_ms, false, true);
	}
	notice(ret, &n, c.n_facts_over_limit,
	        "lines of configurations were not kept: there is room for so many only.");
	notice(ret, &n, c.n_texts_over_limit,
	        "lines were kept without their text: only file and line are shown.");
	if (c.n_clocks_back > 0) {
		struct text *t = &ret[n];
		notice(ret, &n, c.n_clocks_back,
		        c.n_clocks_back == 1
		                ? "clock was set back an hour (end of summer time) at "
		                : "clocks were set back an hour (end of summer time), first at ");
		when_say(t, c.clock_back_at_ms, false, true);
		text_str(t, "; what follows is counted on, an hour later than its lines say.");
	}
	notice(ret, &n, findings_cases(r->findings)->n_lost,
	        "sessions were not looked at: there is room for so many only.");
	return n;
}

int report_exit_status(const struct report *r)
{
	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i].error != NULL)
			return 2;
	return findings_n(r->findings) > 0 ? 10 : 0;
}
