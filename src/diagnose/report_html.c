/* The report as one page: no scripts, nothing loaded from anywhere, light and dark. */
#include "diagnose/escape.h"
#include "diagnose/kind.h"
#include "diagnose/picture.h"

#define MAX_NAME 200

static const char head[] =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\"><title>culvert diagnose</title>\n<style>\n"
        ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2024;--dim:#5c6670;--line:#d5dae0;--box:#f4f6f8;"
        "--tls:#c77700;--dtls:#1f7a4d;--bad:#c02b2b;--mark:#3458a4}\n"
        "@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e4e7ea;--dim:#9aa4ae;--line:#343b42;--"
        "box:#1e2328;"
        "--tls:#e39a3b;--dtls:#45b380;--bad:#f07070;--mark:#86a8ee}}\n"
        "body{background:var(--bg);color:var(--fg);font:15px/1.5 "
        "system-ui,sans-serif;max-width:66rem;margin:2rem auto;"
        "padding:0 1rem}\n"
        "h1{font-size:1.3rem}h2{font-size:1.1rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}\n"
        ".verdict{border-left:4px solid var(--bad);background:var(--box);padding:.6rem "
        "1rem}.verdict.ok{border-color:"
        "var(--dtls)}.verdict p{margin:.2rem 0}.verdict p:first-child{font-weight:600}\n"
        "table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{border-bottom:1px solid "
        "var(--line);padding:"
        ".25rem .6rem .25rem 0;text-align:left;vertical-align:top}\n"
        "td.code,pre{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere}pre{"
        "background:"
        "var(--box);border:1px solid var(--line);padding:.6rem;overflow-x:auto}\n"
        ".dim,.legend{color:var(--dim);font-size:.85rem}.nowrap{white-space:nowrap}.tag{border:1px solid "
        "var(--line);"
        "border-radius:.3rem;padding:0 .4rem;font-size:.8rem;color:var(--dim)}.error{color:var(--bad)}\n"
        "svg{width:100%;height:auto}svg text{fill:var(--dim);font:13px system-ui,sans-serif}svg "
        ".mtu{fill:var(--fg)}"
        "svg .grid{stroke:var(--line);fill:none}svg .tls{fill:var(--tls)}svg .dtls{fill:var(--dtls)}svg "
        ".large{fill:"
        "var(--bad)}svg .reconnect{fill:var(--mark)}\n"
        ".key{display:inline-block;width:.9em;height:.9em;margin-left:.8em}.key.tls{background:var(--tls)}."
        "key.dtls"
        "{background:var(--dtls)}.key.large{background:var(--bad)}.key.reconnect{background:var(--mark)}\n"
        "</style></head><body>\n<h1>culvert diagnose</h1>\n";

/* ---- text of ours, and of files ---- */

static void put_own(struct text *o, const struct text *t)
{
	escape_html(o, span_str(text_cstr(t)));
}

static void put_foreign(struct text *o, struct span s, size_t max)
{
	struct text t = {0};
	escape_put(&t, s, max);
	put_own(o, &t);
	text_done(&t);
}

static void put_place(struct text *o, const struct report *r, uint32_t file, uint32_t line)
{
	if (file < r->n_files)
		put_foreign(o, span_str(r->files[file].name), MAX_NAME);
	text_fmt(o, ":%u", line);
}

static void put_paragraph(struct text *o, const char *label, const struct text *t)
{
	if (t->n == 0)
		return;
	text_fmt(o, "<p>%s", label);
	put_own(o, t);
	text_str(o, "</p>\n");
}

/* ---- parts ---- */

static void put_verdict(struct text *o, const struct report *r)
{
	struct text lines[VERDICT_MAX];
	size_t n = verdict_make(lines, r);
	text_fmt(o, "<div class=\"verdict%s\">", findings_n(r->findings) == 0 ? " ok" : "");
	for (size_t i = 0; i < n; i++) {
		put_paragraph(o, "", &lines[i]);
		text_done(&lines[i]);
	}
	text_str(o, "</div>\n");
}

static void put_row(
        struct text *o, const struct report *r, const struct timeline *t, const struct timeline_row *row)
{
	struct text what = {0};
	text_str(o, "<tr><td class=\"nowrap\">");
	timeline_say_time(o, row->at_ms, t->has_zone, false);
	text_fmt(o, "</td><td>%s</td><td>", row->side == SIDE_CLIENT ? "client" : "gateway");
	timeline_say(&what, r->store, row);
	put_own(o, &what);
	text_done(&what);
	text_str(o, "</td><td class=\"dim\">");
	put_place(o, r, row->record->file, row->record->line);
	text_str(o, "</td></tr>\n");
}

static void put_timeline(struct text *o, const struct report *r)
{
	struct timeline t;
	if (timeline_make(&t, r) < 0)
		return;
	if (t.n > 0) {
		text_str(o, "<h2>Timeline");
		if (t.user) {
			text_str(o, " of ");
			put_foreign(o, store_word(r->store, t.user), MAX_NAME);
		}
		text_str(o, "</h2>\n<p class=\"dim\">Beginning ");
		timeline_say_time(o, t.begin_at_ms, t.has_zone, true);
		if (t.has_both && t.shift_ms != 0)
			text_str(o, "; ");
		timeline_say_shift(o, &t);
		text_str(o, "</p>\n");
		picture_put(o, &t);
		text_str(o, "<table>\n");
		for (size_t i = 0; i < t.n; i++) {
			if (i == t.n_head)
				text_fmt(o, "<tr><td></td><td></td><td class=\"dim\">%zu more</td></tr>\n",
				        t.n_left_out);
			put_row(o, r, &t, &t.rows[i]);
		}
		text_str(o, "</table>\n");
	}
	timeline_done(&t);
}

static void put_evidence(struct text *o, const struct report *r, const struct finding *f)
{
	text_str(o, "<h3>Evidence</h3>\n<table>\n");
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		text_str(o, "<tr><td class=\"dim\">");
		put_place(o, r, e->file, e->line);
		text_str(o, "</td><td class=\"code\">");
		put_foreign(o, store_text(r->store, e->text), STORE_MAX_TEXT_BYTES);
		if (e->count > 1)
			text_fmt(o, " <span class=\"dim\">(%u times within a minute)</span>", e->count);
		text_str(o, "</td></tr>\n");
	}
	if (f->n_more_evidence > 0)
		text_fmt(o, "<tr><td></td><td class=\"dim\">and %zu more lines</td></tr>\n",
		        f->n_more_evidence);
	text_str(o, "</table>\n");
}

static void put_remedy(struct text *o, const struct remedy *m, size_t number)
{
	text_fmt(o, "<h3>Cure %zu: ", number);
	put_own(o, &m->title);
	text_str(o, "</h3>\n");
	if (m->config.n > 0) {
		text_str(o, "<pre>");
		put_own(o, &m->config);
		text_str(o, "</pre>\n");
	}
	put_paragraph(o, "", &m->effect);
	put_paragraph(o, "Costs: ", &m->side_effects);
}

static void put_users(struct text *o, const struct report *r, const struct finding *f)
{
	text_fmt(o, "<p class=\"dim\">%zu users", f->n_all_users);
	for (size_t i = 0; i < f->n_users && i < 50; i++) {
		text_str(o, i == 0 ? ": " : ", ");
		put_foreign(o, store_word(r->store, f->users[i]), MAX_NAME);
	}
	if (f->first_at_ms != TIME_NONE) {
		text_str(o, "; ");
		timeline_say_time(o, f->first_at_ms, false, true);
		text_str(o, " to ");
		timeline_say_time(o, f->last_at_ms, false, true);
	}
	text_str(o, "</p>\n");
}

static void put_finding(struct text *o, const struct report *r, const struct finding *f, size_t number)
{
	text_fmt(o, "<h2>%zu. ", number);
	escape_html(o, span_str(f->title));
	text_fmt(o,
	        "</h2>\n<p><span class=\"tag\">%s</span> <span class=\"tag\">%s</span> <span "
	        "class=\"tag\">%s</span></p>\n",
	        severity_name(f->severity), confidence_name(f->confidence), f->id);
	put_users(o, r, f);
	put_paragraph(o, "", &f->cause);
	if (f->n_evidence > 0)
		put_evidence(o, r, f);
	for (size_t i = 0; i < f->n_remedies; i++)
		put_remedy(o, &f->remedies[i], i + 1);
}

static void put_file(struct text *o, const struct report_file *f)
{
	text_str(o, "<tr><td>");
	put_foreign(o, span_str(f->name), MAX_NAME);
	text_str(o, "</td><td>");
	const char *sep = "";
	for (unsigned k = SOURCE_NONE + 1; k < SOURCE_N; k++)
		if ((f->kinds & 1u << k) != 0) {
			text_fmt(o, "%s%s", sep, kind_title((enum source_kind)k));
			sep = ", ";
		}
	text_fmt(o, "%s</td><td>%llu of %llu lines</td><td>", f->kinds || f->error ? "" : "not recognised",
	        (unsigned long long)f->n_taken, (unsigned long long)f->n_lines);
	if (f->error != NULL) {
		text_str(o, "<span class=\"error\">");
		put_foreign(o, span_str(f->error), MAX_NAME);
		text_str(o, "</span> ");
	}
	if (f->note != NULL)
		put_foreign(o, span_str(f->note), MAX_NAME);
	text_str(o, "</td></tr>\n");
}

static void put_files(struct text *o, const struct report *r)
{
	struct text lines[NOTICES_MAX];
	size_t n = notices_make(lines, r);
	text_str(o, "<h2>Files</h2>\n<table>\n");
	for (size_t i = 0; i < r->n_files; i++)
		put_file(o, &r->files[i]);
	text_str(o, "</table>\n");
	for (size_t i = 0; i < n; i++) {
		put_paragraph(o, "Notice: ", &lines[i]);
		text_done(&lines[i]);
	}
}

void report_html(FILE *out, const struct report *r)
{
	struct text o = {0};
	text_str(&o, head);
	put_verdict(&o, r);
	put_timeline(&o, r);
	for (size_t i = 0; i < findings_n(r->findings); i++)
		put_finding(&o, r, findings_at(r->findings, i), i + 1);
	put_files(&o, r);
	text_str(&o, "</body></html>\n");
	fwrite(o.p, 1, o.n, out);
	text_done(&o);
}
