/* The report as one page: no scripts, nothing loaded from anywhere, light and dark. */
#include "diagnose/escape.h"
#include "diagnose/kind.h"
#include "diagnose/picture.h"
#include "diagnose/place.h"

#define MAX_NAME  200
#define MAX_USERS 12 /* of a finding that are named at once; the others on demand */

/* Below 44rem each row of a table becomes a block of its own. */
/* clang-format off: a line of the page is a line here */
static const char head[] =
        "<!DOCTYPE html>\n"
        "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<style>\n"
        ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2024;--dim:#59636e;--line:#d8dde3;--box:#f5f7f9;\n"
        "--tls:#b86b00;--dtls:#1f7a4d;--bad:#c02b2b;--warn:#9a6700;--mark:#3458a4}\n"
        "@media screen and (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e4e7ea;--dim:#9aa4ae;--line:#343b42;\n"
        "--box:#1e2328;--tls:#e39a3b;--dtls:#45b380;--bad:#f07070;--warn:#e3b341;--mark:#86a8ee}}\n"
        "*{box-sizing:border-box}\n"
        "body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;\n"
        "padding:0 1rem;overflow-wrap:break-word}\n"
        "h1{font-size:1.3rem}h2{font-size:1.15rem;margin:2.4rem 0 .4rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}\n"
        "p{margin:.5rem 0}\n"
        ".verdict{border-left:4px solid var(--bad);background:var(--box);padding:.6rem 1rem;border-radius:0 .3rem .3rem 0}\n"
        ".verdict.warning{border-color:var(--warn)}.verdict.info{border-color:var(--mark)}\n"
        ".verdict.ok{border-color:var(--dtls)}.verdict p{margin:.2rem 0}.verdict p:first-child{font-weight:600}\n"
        "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
        "td{border-top:1px solid var(--line);padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}\n"
        "tbody tr:first-child td{border-top:0}td:last-child{padding-right:0}\n"
        "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
        ".place{color:var(--dim);font-size:.85rem;min-width:9.5rem}\n"
        ".code,pre{font-family:ui-monospace,monospace;font-size:.82rem;overflow-wrap:anywhere}\n"
        "pre{background:var(--box);border:1px solid var(--line);border-radius:.3rem;padding:.6rem .8rem;overflow-x:auto;\n"
        "margin:.4rem 0}\n"
        ".dim{color:var(--dim)}.small,.legend{color:var(--dim);font-size:.85rem}.num,.nowrap{white-space:nowrap}\n"
        ".num{font-variant-numeric:tabular-nums}.side{color:var(--dim)}.side.client{color:var(--mark)}\n"
        "summary{cursor:pointer}\n"
        ".tag{border:1px solid var(--line);border-radius:.3rem;padding:0 .45rem;font-size:.8rem;color:var(--dim);\n"
        "white-space:nowrap}\n"
        ".tag.error{color:var(--bad);border-color:currentColor}.tag.warning{color:var(--warn);border-color:currentColor}\n"
        "span.error{color:var(--bad)}\n"
        ".cure{border-left:2px solid var(--line);padding-left:1rem;margin:1rem 0}.cure h3{margin-top:0}\n"
        ".picture{margin:.8rem 0 .2rem}svg{display:block;width:100%;height:auto}\n"
        "svg text{fill:var(--dim);font:13px system-ui,sans-serif}svg .mtu{fill:var(--fg)}svg .on{fill:var(--bg)}\n"
        "svg .grid{stroke:var(--line);fill:none}\n"
        ".tls{fill:var(--tls);background:var(--tls)}.dtls{fill:var(--dtls);background:var(--dtls)}\n"
        ".large{fill:var(--bad);background:var(--bad)}.reconnect{fill:var(--mark);background:var(--mark)}\n"
        ".key{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin-right:.35em}\n"
        ".key.reconnect{clip-path:polygon(50% 0,100% 100%,0 100%)}.key.large{width:.3em}\n"
        ".legend>span{margin-right:1.1em;white-space:nowrap}\n"
        "@media(max-width:44rem){body{margin:1rem auto}td{display:block;border:0;padding:0}\n"
        "tbody tr{display:block;border-top:1px solid var(--line);padding:.45rem 0}tbody tr:first-child{border-top:0}\n"
        "td.num,td.side{display:inline-block;padding-right:.7rem;color:var(--dim)}\n"
        "td.empty,svg .minor{display:none}svg text{font-size:26px}svg .on{font-size:14px}}\n"
        "@media print{body{max-width:none;margin:0;font-size:11pt}.cure,tr,svg{break-inside:avoid}\n"
        "h1,h2,h3{break-after:avoid}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n"
        "</style>\n";
/* clang-format on */

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
	struct text t = {0};
	place_put(&t, r, file, line);
	put_own(o, &t);
	text_done(&t);
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

/* The page is found again by its title: what is wrong. */
static void put_verdict(struct text *o, const struct report *r)
{
	struct text lines[VERDICT_MAX];
	size_t n = verdict_make(lines, r);
	text_str(o, "<title>culvert diagnose: ");
	put_own(o, &lines[0]);
	text_str(o, "</title></head><body>\n<h1>culvert diagnose</h1>\n");
	bool is_ok = findings_n(r->findings) == 0;
	text_fmt(o, "<div class=\"verdict %s\">",
	        is_ok ? "ok" : severity_name(findings_at(r->findings, 0)->severity));
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
	struct text offset = {0};
	const char *side = row->side == SIDE_CLIENT ? "client" : "gateway";
	timeline_say_offset(&offset, t, row);
	text_str(o, "<tr><td class=\"num\">");
	when_say(o, row->at_ms, t->has_zone, false);
	text_fmt(o, "</td><td class=\"num dim%s\">%s", offset.n > 0 ? "" : " empty", text_cstr(&offset));
	text_done(&offset);
	text_fmt(o, "</td><td class=\"side %s\">%s</td><td>", side, side);
	timeline_say(&what, r->store, row);
	put_own(o, &what);
	text_done(&what);
	text_str(o, "</td><td class=\"place\">");
	put_place(o, r, row->record->file, row->record->line);
	text_str(o, "</td></tr>\n");
}

static void put_heading(struct text *o, const struct report *r, const struct timeline *t)
{
	struct text shift = {0};
	text_str(o, "<h2>Timeline");
	if (t->user) {
		text_str(o, " of ");
		put_foreign(o, store_word(r->store, t->user), MAX_NAME);
	}
	text_str(o, "</h2>\n");
	timeline_say_shift(&shift, t);
	if (t->begin_at_ms != TIME_NONE) {
		text_str(o, "<p class=\"small\">Beginning ");
		when_say(o, t->begin_at_ms, t->has_zone, true);
		text_str(o, shift.n > 0 ? "; " : "");
		put_own(o, &shift);
		text_str(o, "</p>\n");
	}
	text_done(&shift);
}

static void put_timeline(struct text *o, const struct report *r)
{
	struct timeline t;
	if (timeline_make(&t, r) < 0)
		return;
	if (t.n > 0) {
		put_heading(o, r, &t);
		picture_put(o, &t);
		text_str(o, "<table>\n<thead><tr><th>time</th><th>since the beginning</th><th>seen by</th>"
		            "<th>what happened</th><th>file and line</th></tr></thead>\n<tbody>\n");
		for (size_t i = 0; i < t.n; i++) {
			if (i == t.n_head)
				text_fmt(o,
				        "<tr><td class=\"empty\" colspan=\"3\"></td><td class=\"dim\" "
				        "colspan=\"2\">%zu more</td></tr>\n",
				        t.n_left_out);
			put_row(o, r, &t, &t.rows[i]);
		}
		text_str(o, "</tbody></table>\n");
	}
	timeline_done(&t);
}

static void put_evidence(struct text *o, const struct report *r, const struct finding *f)
{
	text_str(o,
	        "<h3>Evidence</h3>\n<table>\n<thead><tr><th>file and line</th><th>text</th></tr></thead>\n"
	        "<tbody>\n");
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];
		text_str(o, "<tr><td class=\"place\">");
		put_place(o, r, e->file, e->line);
		text_str(o, "</td><td class=\"code\">");
		put_foreign(o, store_text(r->store, e->text), STORE_MAX_TEXT_BYTES);
		if (e->count > 1)
			text_fmt(o, " <span class=\"dim\">(%u times within a minute)</span>", e->count);
		text_str(o, "</td></tr>\n");
	}
	if (f->n_more_evidence > 0)
		text_fmt(o, "<tr><td class=\"empty\"></td><td class=\"dim\">and %zu more lines</td></tr>\n",
		        f->n_more_evidence);
	text_str(o, "</tbody></table>\n");
}

static void put_remedy(struct text *o, const struct remedy *m, size_t number)
{
	text_fmt(o, "<div class=\"cure\"><h3>Cure %zu: ", number);
	put_own(o, &m->title);
	text_str(o, "</h3>\n");
	if (m->config.n > 0) {
		text_str(o, "<pre>");
		put_own(o, &m->config);
		text_str(o, "</pre>\n");
	}
	put_paragraph(o, "", &m->effect);
	put_paragraph(o, "<strong>Costs:</strong> ", &m->side_effects);
	text_str(o, "</div>\n");
}

/* Those from..to of the finding's users. */
static void put_names(struct text *o, const struct report *r, const struct finding *f, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		text_str(o, i == from ? "" : ", ");
		put_foreign(o, store_word(r->store, f->users[i]), MAX_NAME);
	}
}

static void put_users(struct text *o, const struct report *r, const struct finding *f)
{
	size_t n = f->n_users < MAX_USERS ? f->n_users : MAX_USERS;
	if (f->n_all_users == 0 && f->first_at_ms == TIME_NONE)
		return;
	text_str(o, "<p class=\"small\">");
	if (f->n_all_users > 0)
		text_fmt(o, "%zu %s: ", f->n_all_users, f->n_all_users == 1 ? "user" : "users");
	put_names(o, r, f, 0, n);
	text_str(o, f->n_all_users > n ? ", ..." : "");
	if (f->first_at_ms != TIME_NONE) {
		text_str(o, f->n_all_users > 0 ? "; " : "");
		when_say_range(o, f->first_at_ms, f->last_at_ms);
	}
	text_str(o, "</p>\n");
	if (f->n_users <= n)
		return;
	text_fmt(o, "<details class=\"small\"><summary>%zu more users</summary>", f->n_all_users - n);
	put_names(o, r, f, n, f->n_users);
	text_str(o, f->n_all_users > f->n_users ? ", ...</details>\n" : "</details>\n");
}

static void put_finding(struct text *o, const struct report *r, const struct finding *f, size_t number)
{
	text_fmt(o, "<h2>%zu. ", number);
	escape_html(o, span_str(f->title));
	text_fmt(o,
	        "</h2>\n<p><span class=\"tag %s\">%s</span> <span class=\"tag\">%s</span> <span "
	        "class=\"tag\">%s</span></p>\n",
	        severity_name(f->severity), severity_name(f->severity), confidence_name(f->confidence),
	        f->id);
	put_users(o, r, f);
	put_paragraph(o, "", &f->cause);
	if (f->n_evidence > 0)
		put_evidence(o, r, f);
	for (size_t i = 0; i < f->n_remedies; i++)
		put_remedy(o, &f->remedies[i], i + 1);
}

static void put_file(struct text *o, const struct report *r, uint32_t at)
{
	const struct report_file *f = &r->files[at];
	struct text t = {0};
	place_put_file(&t, r, at);
	text_str(o, "<tr><td>");
	put_own(o, &t);
	text_done(&t);
	text_str(o, "</td><td>");
	kind_put_titles(o, f->kinds);
	text_fmt(o, "%s</td><td class=\"small\">", f->kinds || f->error ? "" : "not recognised");
	if (f->kinds)
		text_fmt(o, "%llu of ", (unsigned long long)f->n_taken);
	text_fmt(o, "%llu %s%s", (unsigned long long)f->n_lines, f->n_lines == 1 ? "line" : "lines",
	        f->kinds ? " understood" : "");
	if (f->error != NULL) {
		text_str(o, "; <span class=\"error\">");
		put_foreign(o, span_str(f->error), MAX_NAME);
		text_str(o, "</span>");
	}
	if (f->note != NULL) {
		text_str(o, "; ");
		put_foreign(o, span_str(f->note), MAX_NAME);
	}
	text_str(o, "</td></tr>\n");
}

static void put_notices(struct text *o, const struct report *r)
{
	struct text lines[NOTICES_MAX];
	size_t n = notices_make(lines, r);
	for (size_t i = 0; i < n; i++) {
		put_paragraph(o, "Notice: ", &lines[i]);
		text_done(&lines[i]);
	}
}

static void put_files(struct text *o, const struct report *r)
{
	struct text folder = {0};
	place_put_folder(&folder, r);
	text_str(o, "<h2>Files</h2>\n");
	put_paragraph(o, "In ", &folder);
	text_done(&folder);
	text_str(o, "<table>\n<thead><tr><th>file</th><th>recognised as</th><th>lines</th></tr></thead>\n"
	            "<tbody>\n");
	for (size_t i = 0; i < r->n_files; i++)
		put_file(o, r, (uint32_t)i);
	text_str(o, "</tbody></table>\n");
	put_notices(o, r);
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
