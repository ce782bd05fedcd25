/* The report for programs: contract.md section 3. */
#include <errno.h>
#include <jansson.h>

#include "diagnose/escape.h"
#include "diagnose/kind.h"
#include "diagnose/timeline.h"

#define MAX_NAME 4096

static json_t *escaped(struct span s)
{
	struct text t = {0};
	escape_put(&t, s, MAX_NAME);
	json_t *j = json_string(text_cstr(&t));
	text_done(&t);
	return j;
}

static json_t *text_json(struct text *t)
{
	json_t *j = json_string(text_cstr(t));
	text_done(t);
	return j;
}

static json_t *time_json(int64_t at_ms, bool has_zone)
{
	struct text t = {0};
	when_say(&t, at_ms, has_zone, true);
	return t.n > 0 ? text_json(&t) : json_null();
}

static json_t *file_name(const struct report *r, uint32_t file)
{
	return file < r->n_files ? escaped(span_str(r->files[file].name)) : json_null();
}

static json_t *lines_json(const struct text *t)
{
	json_t *a = json_array();
	struct span rest = span_str(text_cstr(t));
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');
		json_array_append_new(a, json_stringn((const char *)line.p, line.n));
	}
	return a;
}

static json_t *evidence_json(const struct report *r, const struct finding *f)
{
	json_t *a = json_array();
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		json_array_append_new(
		        a, json_pack("{s:o, s:i, s:o, s:i, s:o}", "file", file_name(r, e->file), "line",
		                   (int)e->line, "text", escaped(store_text(r->store, e->text)), "count",
		                   (int)e->count, "time", time_json(e->at_ms, e->has_zone)));
	}
	return a;
}

static json_t *remedies_json(const struct finding *f)
{
	json_t *a = json_array();
	for (size_t i = 0; i < f->n_remedies; i++) {
		const struct remedy *m = &f->remedies[i];
		json_array_append_new(
		        a, json_pack("{s:s, s:o, s:s, s:s}", "title", text_cstr(&m->title), "config",
		                   lines_json(&m->config), "effect", text_cstr(&m->effect), "side_effects",
		                   text_cstr(&m->side_effects)));
	}
	return a;
}

static json_t *users_json(const struct report *r, const struct finding *f)
{
	json_t *a = json_array();
	for (size_t i = 0; i < f->n_users; i++)
		json_array_append_new(a, escaped(store_word(r->store, f->users[i])));
	return a;
}

static json_t *kinds_json(uint32_t kinds)
{
	json_t *a = json_array();
	for (unsigned k = SOURCE_NONE + 1; k < SOURCE_N; k++)
		if ((kinds & 1u << k) != 0)
			json_array_append_new(a, json_string(kind_name((enum source_kind)k)));
	return a;
}

static json_t *finding_json(const struct report *r, const struct finding *f)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", f->id, "severity",
	        severity_name(f->severity), "confidence", confidence_name(f->confidence), "title", f->title,
	        "verdict", text_cstr(&f->verdict), "cause", text_cstr(&f->cause));
	json_object_set_new(o, "evidence", evidence_json(r, f));
	json_object_set_new(o, "more_evidence", json_integer((json_int_t)f->n_more_evidence));
	json_object_set_new(o, "remedies", remedies_json(f));
	json_object_set_new(o, "users", users_json(r, f));
	json_object_set_new(o, "n_users", json_integer((json_int_t)f->n_all_users));
	json_object_set_new(o, "first", time_json(f->first_at_ms, false));
	json_object_set_new(o, "last", time_json(f->last_at_ms, false));
	json_object_set_new(o, "sources", kinds_json(f->sources));
	return o;
}

static json_t *optional(const char *s)
{
	return s ? escaped(span_str(s)) : json_null();
}

static json_t *files_json(const struct report *r)
{
	json_t *a = json_array();
	for (size_t i = 0; i < r->n_files; i++) {
		const struct report_file *f = &r->files[i];
		json_t *kinds = kinds_json(f->kinds), *first = json_array_get(kinds, 0);
		json_t *o = json_pack("{s:o, s:O, s:o, s:I, s:I, s:o, s:o}", "name",
		        escaped(span_str(f->name)), "kind", first ? first : json_null(), "kinds", kinds,
		        "lines", (json_int_t)f->n_lines, "understood", (json_int_t)f->n_taken, "note",
		        optional(f->note), "error", optional(f->error));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *texts_json(struct text *lines, size_t n)
{
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, text_json(&lines[i]));
	return a;
}

static json_t *verdict_json(const struct report *r)
{
	struct text lines[VERDICT_MAX];
	return texts_json(lines, verdict_make(lines, r));
}

static json_t *notices_json(const struct report *r)
{
	struct text lines[NOTICES_MAX];
	return texts_json(lines, notices_make(lines, r));
}

static json_t *row_json(const struct report *r, const struct timeline *t, const struct timeline_row *row)
{
	struct text what = {0};
	timeline_say(&what, r->store, row);
	return json_pack("{s:o, s:s, s:o, s:o, s:i}", "time", time_json(row->at_ms, t->has_zone), "side",
	        row->side == SIDE_CLIENT ? "client" : "gateway", "what", text_json(&what), "file",
	        file_name(r, row->record->file), "line", (int)row->record->line);
}

static json_t *timeline_json(const struct report *r)
{
	struct timeline t;
	json_t *rows = json_array();
	if (timeline_make(&t, r) < 0) {
		json_decref(rows);
		return NULL;
	}
	for (size_t i = 0; i < t.n; i++)
		json_array_append_new(rows, row_json(r, &t, &t.rows[i]));
	json_t *o = json_pack("{s:o, s:I, s:I, s:o}", "user",
	        t.user ? escaped(store_word(r->store, t.user)) : json_null(), "left_out",
	        (json_int_t)t.n_left_out, "client_clock_shift_s", (json_int_t)(t.shift_ms / 1000), "rows",
	        rows);
	timeline_done(&t);
	return o;
}

int report_json(FILE *out, const struct report *r)
{
	json_t *findings = json_array();
	for (size_t i = 0; i < findings_n(r->findings); i++)
		json_array_append_new(findings, finding_json(r, findings_at(r->findings, i)));
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "verdict", verdict_json(r), "findings", findings,
	        "timeline", timeline_json(r), "files", files_json(r), "notices", notices_json(r));
	if (o == NULL)
		return -ENOMEM;
	int err = json_dumpf(o, out, JSON_INDENT(2)) < 0 ? -ENOMEM : 0;
	fputc('\n', out);
	json_decref(o);
	return err;
}
