/* running-config, completion: the table and the statements as text. */
#include "policy/config.h"
#include "policy/store.h"

static bool was_said(const struct stmt *s)
{
	if (!s->is_builtin)
		return true;
	for (const struct stmt *c = s->first; c != NULL; c = c->next) {
		if (was_said(c))
			return true;
	}
	return false;
}

static void put_line(struct text *out, int depth, const char *line)
{
	text_fmt(out, "%*s%s\n", depth, "", line);
}

static void format_section(const struct stmt *section, int depth, unsigned flags, struct text *out);

static void format_stmt(const struct stmt *s, int depth, unsigned flags, struct text *out)
{
	if (!(flags & CONFIG_ALL) && !was_said(s))
		return;
	text_fmt(out, "%*s", depth, "");
	stmt_format(s, flags & CONFIG_SECRETS, out);
	text_str(out, "\n");
	if (s->row->enters != 0)
		format_section(s, depth + 1, flags, out);
}

/* All rows of one family (say, of one group policy) together, in the order of the table; first is their first
 * one. */
static void format_family(const struct stmt *first, int depth, unsigned flags, struct text *out)
{
	size_t n;
	const struct command *rows = command_table(&n);
	for (const struct command *row = rows; row < rows + n; row++) {
		if (!(row->flags & CMD_FAMILY))
			continue;
		for (const struct stmt *s = first; s != NULL && stmt_is_family(s, first); s = s->next) {
			if (s->row == row)
				format_stmt(s, depth, flags, out);
		}
	}
}

/* Whether defaults are shown inside: not where they would be inherited. */
static bool shows_defaults(const struct stmt *section)
{
	const struct stmt *s = section;
	while (s->parent != NULL && s->parent->row != NULL)
		s = s->parent;
	if (s->row == NULL || s->row->enters == MODE_WEBVPN)
		return true;
	if (s->row->enters == MODE_POLICY)
		return strcmp(s->w[1].text, POLICY_DEFAULT_GROUP_POLICY) == 0;
	return s->row->enters != MODE_USER;
}

/* Statements of a family are printed at the place of the first row that the family has in the table. */
static bool is_family_start(const struct command *row)
{
	size_t n;
	struct span word = span_str(row->syntax), other;
	word = span_cut(&word, ' ');
	for (const struct command *r = command_table(&n); r < row; r++) {
		other = span_str(r->syntax);
		if (r->flags & CMD_FAMILY && span_eq(span_cut(&other, ' '), word))
			return false;
	}
	return true;
}

static void format_families(
        const struct stmt *section, const struct command *row, int depth, unsigned flags, struct text *out)
{
	struct span word = span_str(row->syntax);
	word = span_cut(&word, ' ');
	for (const struct stmt *s = section->first; s != NULL; s = s->next) {
		bool is_first = s->prev == NULL || !stmt_is_family(s->prev, s);
		if (s->row->flags & CMD_FAMILY && span_is(word, s->w[0].text) && is_first)
			format_family(s, depth, flags, out);
	}
}

static void format_row(
        const struct stmt *section, const struct command *row, int depth, unsigned flags, struct text *out)
{
	size_t n = 0;
	if (row->flags & CMD_FAMILY) {
		if (is_family_start(row))
			format_families(section, row, depth, flags, out);
		return;
	}
	for (const struct stmt *s = section->first; s != NULL; s = s->next) {
		if (s->row == row) {
			format_stmt(s, depth, flags, out);
			n++;
		}
	}
	if (n == 0 && flags & CONFIG_ALL && row->def != NULL && shows_defaults(section))
		put_line(out, depth, row->def);
}

static void format_section(const struct stmt *section, int depth, unsigned flags, struct text *out)
{
	size_t n;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].modes & stmt_mode(section) && !(rows[i].flags & CMD_IGNORED))
			format_row(section, &rows[i], depth, flags, out);
	}
}

void config_format(const struct config *c, unsigned flags, struct text *out)
{
	format_section(&c->store->root, 0, flags, out);
}

/* The statements of one row in the modes that a restart may concern. */
static void format_only(const struct stmt *section, const struct command *row, struct text *out)
{
	for (const struct stmt *s = section->first; s != NULL; s = s->next) {
		if (s->row == row) {
			stmt_format(s, true, out);
			text_str(out, "\n");
		}
		if (s->first != NULL)
			format_only(s, row, out);
	}
}

void config_restart_needed(const struct config *a, const struct config *b, struct text *out)
{
	size_t n;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		struct text in_a = {0}, in_b = {0};
		if (rows[i].flags & (CMD_RELOAD | CMD_IGNORED))
			continue;
		format_only(&a->store->root, &rows[i], &in_a);
		format_only(&b->store->root, &rows[i], &in_b);
		if (strcmp(text_cstr(&in_a), text_cstr(&in_b)) != 0) {
			text_str(out, out->n > 0 ? ", " : "");
			text_put(out, syntax_keywords(rows[i].syntax));
		}
		text_done(&in_a);
		text_done(&in_b);
	}
}
