/* The report for a terminal. */
#include "diagnose/escape.h"
#include "diagnose/kind.h"
#include "diagnose/place.h"
#include "diagnose/timeline.h"

#define WIDTH       98
#define WHAT_WIDTH  60 /* of "what happened" before the place; longer ones go on in the next line */
#define MAX_UNKNOWN 20 /* files not recognised that are named */
#define MAX_NAMED   12 /* users named in a finding */
#define MAX_NAME    200

/* Words of s, each line begun with so many blanks. */
static void print_wrapped(FILE *out, const char *s, int indent, const char *first)
{
	struct span rest = span_str(s);
	int column = indent;
	fprintf(out, "%*s%s", indent - (int)strlen(first), "", first);
	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');
		if (column > indent && column + 1 + (int)word.n > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(word.p, 1, word.n, out);
		column += (int)word.n;
	}
	fputc('\n', out);
}

static void print_verdict(FILE *out, const struct report *r)
{
	struct text lines[VERDICT_MAX];
	size_t n = verdict_make(lines, r);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s\n", text_cstr(&lines[i]));
		text_done(&lines[i]);
	}
}

/* ---- timeline ---- */

/* Columns on a terminal, where every character has one: near enough. */
static int columns_of(struct span s)
{
	int n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* As many words as fit, one at least. */
static struct span cut_line(struct span *rest, int width)
{
	struct span line = span_of(rest->p, 0);
	int column = 0;
	while (rest->n > 0) {
		struct span after = *rest, word = span_cut(&after, ' ');
		int wanted = columns_of(word) + (column > 0);
		if (column > 0 && column + wanted > width)
			break;
		column += wanted;
		line.n = (size_t)(word.p + word.n - line.p);
		*rest = after;
	}
	return line;
}

static void say_when(struct text *out, const struct timeline *t, const struct timeline_row *row)
{
	when_say(out, row->at_ms, t->has_zone, false);
	if (row->at_ms != TIME_NONE && t->begin_at_ms != TIME_NONE && row->at_ms > t->begin_at_ms)
		text_fmt(out, " +%lld s", (long long)(row->at_ms - t->begin_at_ms + 500) / 1000);
}

static int when_width(const struct timeline *t)
{
	size_t most = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct text when = {0};
		say_when(&when, t, &t->rows[i]);
		most = when.n > most ? when.n : most;
		text_done(&when);
	}
	return (int)most;
}

static void print_row(FILE *out, const struct report *r, const struct timeline *t,
        const struct timeline_row *row, int when_columns)
{
	struct text when = {0}, what = {0}, where = {0};
	say_when(&when, t, row);
	timeline_say(&what, r->store, row);
	place_put(&where, r, row->record->file, row->record->line);
	struct span rest = span_str(text_cstr(&what)), line = cut_line(&rest, WHAT_WIDTH);
	fprintf(out, "  %-*s  %-7s  %.*s%*s  %s\n", when_columns, text_cstr(&when),
	        row->side == SIDE_CLIENT ? "client" : "gateway", (int)line.n, (const char *)line.p,
	        WHAT_WIDTH - columns_of(line), "", text_cstr(&where));
	while (rest.n > 0) {
		line = cut_line(&rest, WHAT_WIDTH);
		fprintf(out, "  %*s  %7s  %.*s\n", when_columns, "", "", (int)line.n, (const char *)line.p);
	}
	text_done(&when);
	text_done(&what);
	text_done(&where);
}

static void print_heading(FILE *out, const struct report *r, const struct timeline *t)
{
	struct text h = {0};
	struct ip_addr a = store_addr(r->store, t->addr);
	char buf[ADDR_TEXT_MAX];
	text_str(&h, "Timeline");
	if (t->user) {
		text_str(&h, " of ");
		escape_put(&h, store_word(r->store, t->user), MAX_NAME);
	}
	if (addr_is_set(&a))
		text_fmt(&h, ", %s", addr_format(&a, buf));
	if (t->begin_at_ms != TIME_NONE) {
		text_str(&h, ", beginning ");
		when_say(&h, t->begin_at_ms, t->has_zone, true);
	}
	fprintf(out, "\n%s\n", text_cstr(&h));
	text_done(&h);
	struct text shift = {0};
	timeline_say_shift(&shift, t);
	if (shift.n > 0)
		fprintf(out, "(%s)\n", text_cstr(&shift));
	text_done(&shift);
}

static void print_timeline(FILE *out, const struct report *r)
{
	struct timeline t;
	if (timeline_make(&t, r) < 0)
		return;
	int when_columns = when_width(&t);
	if (t.n > 0)
		print_heading(out, r, &t);
	for (size_t i = 0; i < t.n; i++) {
		if (i == t.n_head)
			fprintf(out, "  ... %zu more\n", t.n_left_out);
		print_row(out, r, &t, &t.rows[i], when_columns);
	}
	timeline_done(&t);
}

/* ---- findings ---- */

static void print_users(FILE *out, const struct report *r, const struct finding *f)
{
	struct text t = {0};
	size_t n = f->n_users < MAX_NAMED ? f->n_users : MAX_NAMED;
	for (size_t i = 0; i < n; i++) {
		text_str(&t, i == 0 ? "" : ", ");
		escape_put(&t, store_word(r->store, f->users[i]), MAX_NAME);
	}
	if (f->n_all_users > n)
		text_fmt(&t, " and %zu others", f->n_all_users - n);
	if (f->first_at_ms != TIME_NONE) {
		text_str(&t, t.n ? "; " : "");
		when_say(&t, f->first_at_ms, false, true);
		text_str(&t, " to ");
		when_say(&t, f->last_at_ms, false, true);
	}
	if (t.n > 0)
		print_wrapped(out, text_cstr(&t), 3, "");
	text_done(&t);
}

static void print_evidence(FILE *out, const struct report *r, const struct finding *f)
{
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		struct text t = {0};
		place_put(&t, r, e->file, e->line);
		text_str(&t, ": ");
		escape_put(&t, store_text(r->store, e->text), STORE_MAX_TEXT_BYTES);
		if (e->count > 1)
			text_fmt(&t, " (%u times within a minute)", e->count);
		fprintf(out, "   > %s\n", text_cstr(&t));
		text_done(&t);
	}
	if (f->n_more_evidence > 0)
		fprintf(out, "   > and %zu more lines\n", f->n_more_evidence);
}

static void print_remedy(FILE *out, const struct remedy *m, size_t number)
{
	struct span lines = span_str(text_cstr(&m->config));
	fprintf(out, "\n   Cure %zu: %s\n", number, text_cstr(&m->title));
	while (lines.n > 0) {
		struct span line = span_cut(&lines, '\n');
		fprintf(out, "       %.*s\n", (int)line.n, (const char *)line.p);
	}
	if (m->effect.n > 0)
		print_wrapped(out, text_cstr(&m->effect), 13, "Effect: ");
	if (m->side_effects.n > 0)
		print_wrapped(out, text_cstr(&m->side_effects), 13, "Costs: ");
}

static void print_finding(FILE *out, const struct report *r, const struct finding *f, size_t number)
{
	fprintf(out, "\n%zu. %s\n   [%s, %s] %s\n", number, f->title, severity_name(f->severity),
	        confidence_name(f->confidence), f->id);
	print_users(out, r, f);
	print_wrapped(out, text_cstr(&f->cause), 3, "");
	print_evidence(out, r, f);
	for (size_t i = 0; i < f->n_remedies; i++)
		print_remedy(out, &f->remedies[i], i + 1);
}

/* ---- files ---- */

static void print_file(FILE *out, const struct report *r, uint32_t at)
{
	const struct report_file *f = &r->files[at];
	struct text t = {0};
	place_put_file(&t, r, at);
	text_str(&t, ": ");
	if (f->kinds != 0) {
		kind_put_titles(&t, f->kinds);
		text_fmt(&t, ", %llu of %llu lines understood", (unsigned long long)f->n_taken,
		        (unsigned long long)f->n_lines);
	} else if (f->error == NULL) {
		text_str(&t, "not recognised");
	}
	if (f->error != NULL) {
		text_str(&t, f->kinds != 0 ? "; error: " : "error: ");
		escape_put(&t, span_str(f->error), MAX_NAME);
	}
	if (f->note != NULL) {
		text_str(&t, "; ");
		escape_put(&t, span_str(f->note), MAX_NAME);
	}
	fprintf(out, "  %s\n", text_cstr(&t));
	text_done(&t);
}

static void print_files(FILE *out, const struct report *r)
{
	struct text folder = {0};
	place_put_folder(&folder, r);
	fprintf(out, "\nFiles%s%s\n", folder.n > 0 ? " in " : "", text_cstr(&folder));
	text_done(&folder);
	size_t n_unknown = 0;
	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i].kinds != 0 || r->files[i].error != NULL || n_unknown++ < MAX_UNKNOWN)
			print_file(out, r, (uint32_t)i);
	if (n_unknown > MAX_UNKNOWN)
		fprintf(out, "  and %zu more that were not recognised (--json names all)\n",
		        n_unknown - MAX_UNKNOWN);
}

static void print_notices(FILE *out, const struct report *r)
{
	struct text lines[NOTICES_MAX];
	size_t n = notices_make(lines, r);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "  notice: %s\n", text_cstr(&lines[i]));
		text_done(&lines[i]);
	}
}

void report_text(FILE *out, const struct report *r)
{
	print_verdict(out, r);
	print_timeline(out, r);
	for (size_t i = 0; i < findings_n(r->findings); i++)
		print_finding(out, r, findings_at(r->findings, i), i + 1);
	print_files(out, r);
	print_notices(out, r);
}
