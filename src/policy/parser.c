/* From the text of a file to statements: modes, `no`, old words, messages. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "policy/apply.h"
#include "policy/cipher.h"
#include "policy/args.h"
#include "policy/config.h"
#include "policy/store.h"

#define MAX_FRAMES       6
#define MAX_TABLE        1024
#define SHOWN_MAX_CHARS  40
#define SHOWN_MAX_EXPECT 10

/* What exists without being said. Order matters: the model promises DfltGrpPolicy and DefaultWEBVPNGroup
 * first. */
static const char builtin[] = "webvpn\n"
                              "group-policy DfltGrpPolicy internal\n"
                              "group-policy DfltGrpPolicy attributes\n"
                              " webvpn\n"
                              "tunnel-group DefaultWEBVPNGroup type remote-access\n"
                              "tunnel-group DefaultWEBVPNGroup general-attributes\n"
                              "tunnel-group DefaultWEBVPNGroup webvpn-attributes\n"
                              "tunnel-group DefaultRAGroup type remote-access\n"
                              "tunnel-group DefaultRAGroup general-attributes\n"
                              "tunnel-group DefaultL2LGroup type ipsec-l2l\n"
                              "tunnel-group DefaultL2LGroup general-attributes\n";

struct frame {
	struct stmt *section;
	uint32_t indent; /* of the line that opened it */
};

struct parser {
	struct arena *arena;
	struct stmt *root;
	struct reporter *reporter;
	struct htab index;
	bool is_builtin;
	bool is_indented; /* some line begins with a blank, so that indentation tells the modes */
	uint32_t line_number;
	size_t n_statements;
	struct frame frames[MAX_FRAMES];
	size_t n_frames;
	bool is_swallowing; /* behind an ignored command */
	uint32_t swallow_indent;
	bool is_later; /* behind a command without effect: it may begin a mode on the ASA */
	uint32_t later_indent;
	uint8_t is_listed[MAX_TABLE]; /* ignored commands already reported, by row */
	struct line line;
	struct match match, best;
};

static void say(struct parser *p, enum diag_severity severity, size_t col, struct text *t)
{
	report(p->reporter, severity, p->line_number, (uint32_t)col, "%s", text_cstr(t));
	text_done(t);
}

static void shown(struct text *t, struct span word)
{
	text_str(t, "\"");
	text_escaped(t, word, SHOWN_MAX_CHARS);
	text_str(t, "\"");
}

static void elem_shown(struct text *t, struct span elem)
{
	const struct arg_type *type = arg_find(elem);
	if (type != NULL)
		text_str(t, type->help);
	else
		shown(t, elem);
}

static void expected_shown(struct text *t, const struct match *m)
{
	for (size_t i = 0; i < m->n_expected && i < SHOWN_MAX_EXPECT; i++) {
		if (i > 0)
			text_str(t, i + 1 == m->n_expected ? " or " : ", ");
		elem_shown(t, m->expected[i]);
	}
	if (m->n_expected > SHOWN_MAX_EXPECT)
		text_str(t, ", ...");
}

static bool has_open_quote(const struct line *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!l->w[i].is_quoted && l->w[i].text.p[0] == '"')
			return true;
	}
	return false;
}

static void mismatch_text(const struct line *l, const struct match *m, struct text *t)
{
	bool is_first = m->bad == m->first;
	if (m->result != MATCH_INCOMPLETE) {
		shown(t, l->w[m->bad].text);
		text_str(t, " ");
	}
	switch (m->result) {
	case MATCH_RANGE:
		text_fmt(t, "is outside %u-%u (%s)", m->row->min, m->row->max, m->row->unit);
		return;
	case MATCH_AMBIGUOUS:
		text_str(t, "is ambiguous: ");
		break;
	case MATCH_TOO_LONG:
		text_str(t, "is too much: expected the end of the line");
		break;
	case MATCH_INCOMPLETE:
		text_str(t, "the line is incomplete: expected ");
		break;
	default:
		text_str(t, is_first ? "is not a command here" : "is not understood: expected ");
		break;
	}
	if ((!is_first && m->result != MATCH_TOO_LONG) || m->result == MATCH_AMBIGUOUS)
		expected_shown(t, m);
	if (m->result == MATCH_UNKNOWN && m->nearest.n > 0) {
		text_str(t, is_first ? "; the nearest is " : "; nearest is ");
		shown(t, m->nearest);
	}
	if (has_open_quote(l, m->bad))
		text_str(t, "; a quote before it is not closed");
}

static void say_mismatch(struct parser *p, const struct match *m)
{
	struct text t = {0};
	const struct line *l = &p->line;
	size_t col = m->bad < l->n ? l->w[m->bad].col : l->raw.n + 1;
	mismatch_text(l, m, &t);
	say(p, DIAG_ERROR, col, &t);
}

static void say_command(struct parser *p, enum diag_severity severity, const struct command *row, size_t col,
        const char *what)
{
	struct text t = {0};
	shown(&t, syntax_keywords(row->syntax));
	text_fmt(&t, " %s", what);
	say(p, severity, col, &t);
}

/* More words matched wins; with as many, the nearer suggestion. */
static bool is_better(const struct match *a, const struct match *b)
{
	if (a->bad != b->bad)
		return a->bad > b->bad;
	return a->result == b->result && a->nearest_distance < b->nearest_distance;
}

/* A command to ignore is not looked for outside the mode in which an indented line stands: it would end that
 * mode, and all that follows would be wrong. */
static bool is_stray(const struct parser *p, size_t i, size_t n_open)
{
	return p->is_indented && p->match.row->flags & CMD_IGNORED && i + 1 < n_open &&
	       p->line.indent > p->frames[n_open - 1].indent;
}

/* Tries the modes from the inner to the outer; then the inner ones that indentation has closed. On success
 * the frames above the matching one are gone and p->match holds the result; otherwise p->best says what came
 * nearest. */
static bool find_mode(struct parser *p, size_t n_open, size_t first, bool is_no)
{
	size_t n_all = p->n_frames, n_tried = 0;
	for (size_t k = 0; k < n_all; k++) {
		size_t i = k < n_open ? n_open - 1 - k : n_all - 1 - (k - n_open);
		syntax_match(stmt_mode(p->frames[i].section), &p->line, first, is_no, &p->match);
		if (p->match.result == MATCH_OK && !is_stray(p, i, n_open)) {
			p->n_frames = i + 1;
			return true;
		}
		if (p->match.result != MATCH_OK && (n_tried++ == 0 || is_better(&p->match, &p->best)))
			p->best = p->match;
	}
	p->n_frames = n_open;
	return false;
}

static void word_insert(struct line *l, size_t i, const char *word)
{
	if (l->n == LINE_MAX_WORDS) {
		l->has_more = true;
		l->n--;
	}
	memmove(&l->w[i + 1], &l->w[i], (l->n - i) * sizeof(l->w[0]));
	l->w[i] = (struct word){.text = span_str(word), .col = l->w[i + 1].col};
	l->n++;
}

/* `svc` was the name of `anyconnect` up to ASA 8.3, and some commands had no `ssl`. */
static void translate_old_words(struct line *l, size_t first)
{
	static const char *const without_ssl[] = {"keepalive", "rekey", "compression", "df-bit-ignore"};
	if (first >= l->n || !span_is_nocase(l->w[first].text, "svc"))
		return;
	l->w[first].text = span_str("anyconnect");
	if (first + 2 < l->n && span_is_nocase(l->w[first + 1].text, "dtls") &&
	        span_is_nocase(l->w[first + 2].text, "enable")) {
		word_insert(l, first + 1, "ssl");
		return;
	}
	for (size_t i = 0; first + 1 < l->n && i < N_ELEM(without_ssl); i++) {
		if (span_is_nocase(l->w[first + 1].text, without_ssl[i])) {
			word_insert(l, first + 1, "ssl");
			return;
		}
	}
}

/* Lines that stand deeper than this one belong to it. */
static void swallow(struct parser *p)
{
	p->is_swallowing = true;
	p->swallow_indent = p->line.indent;
}

static void on_ignored(struct parser *p, size_t col)
{
	size_t n;
	const struct command *rows = command_table(&n);
	size_t i = (size_t)(p->match.row - rows);
	swallow(p);
	if (i >= MAX_TABLE || p->is_listed[i])
		return;
	p->is_listed[i] = 1;
	say_command(p, DIAG_IGNORED, p->match.row, col, "is outside the scope of this product (told once)");
}

static int on_statement(struct parser *p)
{
	struct stmt *section = p->frames[p->n_frames - 1].section;
	const struct command *row = p->match.row;
	struct stmt *s = stmt_new(p->arena, &p->line, &p->match, p->line_number);
	if (s == NULL)
		return -ENOMEM;
	s->is_builtin = p->is_builtin;
	if (row->flags & CMD_LATER && !stmt_is_default(s))
		say_command(p, DIAG_WARNING, row, s->w[0].col, "is accepted, but not effective yet");
	if (++p->n_statements > CONFIG_MAX_STATEMENTS) {
		struct text t = {0};
		text_fmt(&t, "more than %u commands", CONFIG_MAX_STATEMENTS);
		say(p, DIAG_ERROR, 1, &t);
		return ERR_TOO_LARGE;
	}
	s = stmt_insert(&p->index, section, s);
	if (s == NULL)
		return -ENOMEM;
	p->is_later = row->flags & CMD_LATER && row->enters == 0 && p->is_indented;
	p->later_indent = p->line.indent;
	if (row->enters != 0 && p->n_frames < MAX_FRAMES)
		p->frames[p->n_frames++] = (struct frame){.section = s, .indent = p->line.indent};
	return 0;
}

/* The frames that indentation leaves open for this line. */
static size_t open_frames(const struct parser *p)
{
	size_t n = p->n_frames;
	while (p->is_indented && n > 1 && p->frames[n - 1].indent >= p->line.indent)
		n--;
	return n;
}

/* Most settings are taken back by `no`; a few exist only as `no ...`, which the table has as they are
 * written. */
static bool find_negative(struct parser *p)
{
	size_t n_frames = p->n_frames;
	if (find_mode(p, open_frames(p), 0, false) && strncmp(p->match.row->syntax, "no ", 3) == 0)
		return true;
	p->n_frames = n_frames;
	return false;
}

/* Those are taken back by the line without `no`. */
static bool undo_negative(struct parser *p)
{
	struct line as_said = p->line;
	struct match complaint = p->best;
	word_insert(&p->line, 0, "no");
	bool is_one = find_negative(p);
	if (is_one)
		stmt_remove(&p->index, p->frames[p->n_frames - 1].section, &p->line, &p->match);
	p->line = as_said;
	p->best = complaint;
	return is_one;
}

static int on_command(struct parser *p)
{
	struct line *l = &p->line;
	bool is_no = l->n > 1 && span_is_nocase(l->w[0].text, "no");
	size_t first = is_no ? 1 : 0;
	translate_old_words(l, first);
	p->is_later = p->is_later && l->indent > p->later_indent;
	if (is_no && find_negative(p)) {
		p->is_swallowing = false;
		return on_statement(p);
	}
	if (!find_mode(p, open_frames(p), first, is_no)) {
		if (!is_no && undo_negative(p))
			return 0;
		bool is_sub_mode_line = (p->is_swallowing || p->is_later) && p->best.bad == first;
		if (!is_sub_mode_line)
			say_mismatch(p, &p->best);
		if (p->is_indented)
			swallow(p); /* one error is enough for a mode that is not known */
		return 0;
	}
	p->is_swallowing = false;
	if (p->match.row->flags & CMD_IGNORED) {
		on_ignored(p, l->w[first].col);
		return 0;
	}
	if (!is_no)
		return on_statement(p);
	stmt_remove(&p->index, p->frames[p->n_frames - 1].section, l, &p->match);
	return 0;
}

/* Comments, and the lines that frame an ASA's `show running-config`. */
static bool is_decoration(const struct line *l)
{
	return l->n == 0 || l->w[0].text.p[0] == '!' || l->w[0].text.p[0] == ':' ||
	       span_starts(l->w[0].text, "Cryptochecksum:") ||
	       (l->n == 1 && span_is_nocase(l->w[0].text, "end"));
}

static int on_line(struct parser *p, struct span raw)
{
	uint32_t col = 1;
	struct text t = {0};
	int r = line_split(raw, &p->line, &col);
	if (r < 0) {
		if (r == ERR_TOO_LARGE)
			text_fmt(&t, "the line is longer than %d bytes", LINE_MAX_BYTES);
		else
			text_str(&t, "a control character");
		say(p, DIAG_ERROR, col, &t);
		return 0;
	}
	const struct line *l = &p->line;
	if (is_decoration(l))
		return 0;
	if (p->is_indented && p->is_swallowing && l->indent > p->swallow_indent)
		return 0;
	if (p->is_indented)
		p->is_swallowing = false;
	if (l->n == 1 && (span_is_nocase(l->w[0].text, "exit") || span_is_nocase(l->w[0].text, "quit"))) {
		p->n_frames -= p->n_frames > 1;
		return 0;
	}
	return on_command(p);
}

static bool has_indentation(struct span text)
{
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');
		struct span words = span_trim(line);
		if (words.n > 0 && words.p != line.p && words.p[0] != '!' && words.p[0] != '\r')
			return true;
	}
	return false;
}

static int parse_lines(struct parser *p, struct span text)
{
	int r = 0;
	p->is_indented = has_indentation(text);
	p->line_number = 0;
	p->n_frames = 1;
	p->frames[0] = (struct frame){.section = p->root};
	p->is_swallowing = false;
	while (text.n > 0 && r == 0 && p->reporter->n_errors < CONFIG_MAX_ERRORS) {
		if (++p->line_number > CONFIG_MAX_LINES) {
			report(p->reporter, DIAG_ERROR, p->line_number, 1, "more than %u lines",
			        CONFIG_MAX_LINES);
			return ERR_TOO_LARGE;
		}
		r = on_line(p, span_cut(&text, '\n'));
	}
	return r;
}

static int parse_statements(struct config_store *store, struct reporter *reporter, struct span text)
{
	struct parser *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->arena = &store->arena;
	p->root = &store->root;
	p->reporter = reporter;
	p->is_builtin = true;
	int r = parse_lines(p, span_str(builtin));
	p->is_builtin = false;
	if (r == 0)
		r = parse_lines(p, text);
	htab_done(&p->index);
	free(p);
	if (r == 0 && reporter->n_errors > 0)
		r = ERR_CONFIG;
	return r;
}

static void fill_empty(struct config *c)
{
	c->ssl.trustpoint = "";
	for (size_t i = 0; i < N_SSL_SCOPES; i++)
		c->ssl.ciphers[i] = cipher_default((enum ssl_scope)i);
	c->logging.trap_level = c->logging.buffered_level = POLICY_LOG_LEVEL_OFF;
	c->logging.device_id = "";
}

int config_parse(struct span text, const char *filename, struct diag_sink sink, struct config **ret)
{
	struct reporter reporter = {.sink = sink, .filename = filename};
	if (text.n > CONFIG_MAX_BYTES) {
		report(&reporter, DIAG_ERROR, 1, 1, "the file is larger than %u bytes", CONFIG_MAX_BYTES);
		return ERR_TOO_LARGE;
	}
	struct config *c = calloc(1, sizeof(*c));
	struct config_store *store = calloc(1, sizeof(*store));
	int r = -ENOMEM;
	if (c == NULL || store == NULL)
		goto fail;
	atomic_init(&c->n_refs, 1);
	c->store = store;
	fill_empty(c);
	r = parse_statements(store, &reporter, text);
	if (r == 0) {
		struct builder b = {.config = c, .arena = &store->arena, .reporter = &reporter};
		r = apply_tree(&b, &store->root);
	}
	if (r < 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	config_store_free(store);
	free(c);
	return r;
}
