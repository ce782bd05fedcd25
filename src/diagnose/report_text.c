/* The report for a terminal. */
#include "diagnose/escape.h"
#include "diagnose/kind.h"
#include "diagnose/place.h"
#include "diagnose/timeline.h"

#define WIDTH       98  /* where the output is no terminal */
#define WIDTH_MIN   60  /* of a terminal; in a smaller one lines are broken by it */
#define WIDTH_MAX   110 /* longer lines of prose are hard to read */
#define WHAT_WIDTH  60  /* of "what happened" before the place; longer ones go on in the next line */
#define WHAT_MIN    30
#define SIDE_WIDTH  7  /* "gateway" */
#define MAX_UNKNOWN 20 /* files not recognised that are named */
#define MAX_NAMED   12 /* users named in a finding */
#define MAX_NAME    200

struct page {
	FILE *out;
	int width; /* columns */
	bool is_terminal;
};

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

/* Words of s, each line begun with so many blanks. */
static void print_wrapped(const struct page *p, const char *s, int indent, const char *first)
{
	struct span rest = span_str(s);
	const char *head = first;
	do {
		struct span line = cut_line(&rest, p->width - indent);
		fprintf(p->out, "%*s%s%.*s\n", indent - (int)strlen(head), "", head, (int)line.n,
		        (const char *)line.p);
		head = "";
	} while (rest.n > 0);
}

static void print_verdict(const struct page *p, const struct report *r)
{
	struct text lines[VERDICT_MAX];
	size_t n = verdict_make(lines, r);
	for (size_t i = 0; i < n; i++) {
		if (p->is_terminal)
			print_wrapped(p, text_cstr(&lines[i]), 0, "");
		else /* one line each, for whoever reads the first five */
			fprintf(p->out, "%s\n", text_cstr(&lines[i]));
		text_done(&lines[i]);
	}
}

/* ---- timeline ---- */

static void say_when(struct text *out, const struct timeline *t, const struct timeline_row *row)
{
	struct text offset = {0};
	when_say(out, row->at_ms, t->has_zone, false);
	timeline_say_offset(&offset, t, row);
	if (offset.n > 0)
		text_fmt(out, " %s", text_cstr(&offset));
	text_done(&offset);
}

/* Widths of the timeline's columns. */
struct columns {
	int when, what;
};

static struct columns columns_make(const struct page *p, const struct report *r, const struct timeline *t)
{
	struct columns c = {.when = 0, .what = WHAT_WIDTH};
	int where_most = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct text when = {0}, where = {0};
		say_when(&when, t, &t->rows[i]);
		place_put(&where, r, t->rows[i].record->file, t->rows[i].record->line);
		int columns = columns_of(span_str(text_cstr(&where)));
		where_most = columns > where_most ? columns : where_most;
		c.when = (int)when.n > c.when ? (int)when.n : c.when;
		text_done(&when);
		text_done(&where);
	}
	int room = p->width - c.when - where_most - SIDE_WIDTH - 4 * 2;
	if (p->is_terminal && room < c.what)
		c.what = room > WHAT_MIN ? room : WHAT_MIN;
	return c;
}

static void print_row(const struct page *p, const struct report *r, const struct timeline *t,
        const struct timeline_row *row, const struct columns *c)
{
	struct text when = {0}, what = {0}, where = {0};
	say_when(&when, t, row);
	timeline_say(&what, r->store, row);
	place_put(&where, r, row->record->file, row->record->line);
	struct span rest = span_str(text_cstr(&what)), line = cut_line(&rest, c->what);
	int n_blanks = c->what - columns_of(line);
	fprintf(p->out, "  %-*s  %-*s  %.*s%*s  %s\n", c->when, text_cstr(&when), SIDE_WIDTH,
	        row->side == SIDE_CLIENT ? "client" : "gateway", (int)line.n, (const char *)line.p,
	        n_blanks > 0 ? n_blanks : 0, "", text_cstr(&where));
	while (rest.n > 0) {
		line = cut_line(&rest, c->what);
		fprintf(p->out, "  %*s  %*s  %.*s\n", c->when, "", SIDE_WIDTH, "", (int)line.n,
		        (const char *)line.p);
	}
	text_done(&when);
	text_done(&what);
	text_done(&where);
}

static void print_heading(const struct page *p, const struct report *r, const struct timeline *t)
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
	fprintf(p->out, "\n%s\n", text_cstr(&h));
	text_done(&h);
	struct text shift = {0};
	timeline_say_shift(&shift, t);
	if (shift.n > 0)
		fprintf(p->out, "(%s)\n", text_cstr(&shift));
	text_done(&shift);
}

static void print_timeline(const struct page *p, const struct report *r)
{
	struct timeline t;
	if (timeline_make(&t, r) < 0)
		return;
	struct columns c = columns_make(p, r, &t);
	if (t.n > 0)
		print_heading(p, r, &t);
	for (size_t i = 0; i < t.n; i++) {
		if (i == t.n_head)
			fprintf(p->out, "  ... %zu more\n", t.n_left_out);
		print_row(p, r, &t, &t.rows[i], &c);
	}
	timeline_done(&t);
}

/* ---- findings ---- */

static void print_users(const struct page *p, const struct report *r, const struct finding *f)
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
		when_say_range(&t, f->first_at_ms, f->last_at_ms);
	}
	if (t.n > 0)
		print_wrapped(p, text_cstr(&t), 3, "");
	text_done(&t);
}

static void print_evidence(const struct page *p, const struct report *r, const struct finding *f)
{
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		struct text t = {0};
		place_put(&t, r, e->file, e->line);
		text_str(&t, ": ");
		escape_put(&t, store_text(r->store, e->text), STORE_MAX_TEXT_BYTES);
		if (e->count > 1)
			text_fmt(&t, " (%u times within a minute)", e->count);
		fprintf(p->out, "   > %s\n", text_cstr(&t));
		text_done(&t);
	}
	if (f->n_more_evidence > 0)
		fprintf(p->out, "   > and %zu more lines\n", f->n_more_evidence);
}

static void print_remedy(const struct page *p, const struct remedy *m, size_t number)
{
	struct span lines = span_str(text_cstr(&m->config));
	fprintf(p->out, "\n   Cure %zu: %s\n", number, text_cstr(&m->title));
	while (lines.n > 0) {
		struct span line = span_cut(&lines, '\n');
		fprintf(p->out, "       %.*s\n", (int)line.n, (const char *)line.p);
	}
	if (m->effect.n > 0)
		print_wrapped(p, text_cstr(&m->effect), 13, "Effect: ");
	if (m->side_effects.n > 0)
		print_wrapped(p, text_cstr(&m->side_effects), 13, "Costs: ");
}

static void print_finding(
        const struct page *p, const struct report *r, const struct finding *f, size_t number)
{
	fprintf(p->out, "\n%zu. %s\n   [%s, %s] %s\n", number, f->title, severity_name(f->severity),
	        confidence_name(f->confidence), f->id);
	print_users(p, r, f);
	print_wrapped(p, text_cstr(&f->cause), 3, "");
	print_evidence(p, r, f);
	for (size_t i = 0; i < f->n_remedies; i++)
		print_remedy(p, &f->remedies[i], i + 1);
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

void report_text(FILE *out, const struct report *r, int columns)
{
	struct page p = {.out = out, .width = WIDTH, .is_terminal = columns > 0};
	if (columns > 0)
		p.width = columns < WIDTH_MIN ? WIDTH_MIN : columns > WIDTH_MAX ? WIDTH_MAX : columns;
	print_verdict(&p, r);
	print_timeline(&p, r);
	for (size_t i = 0; i < findings_n(r->findings); i++)
		print_finding(&p, r, findings_at(r->findings, i), i + 1);
	print_files(out, r);
	print_notices(out, r);
}
