#include "policy/statement.h"

enum mode stmt_mode(const struct stmt *section)
{
	return section->row ? section->row->enters : MODE_GLOBAL;
}

struct span stmt_elem(const struct stmt *s, size_t i)
{
	return syntax_elem(s->row->syntax, s->w[i].elem);
}

bool stmt_is_arg(const struct stmt *s, size_t i)
{
	return !syntax_is_keyword(stmt_elem(s, i));
}

int stmt_find(const struct stmt *s, const char *elem)
{
	for (size_t i = 0; i < s->n; i++) {
		if (span_is(stmt_elem(s, i), elem))
			return (int)i;
	}
	return -1;
}

const char *stmt_arg(const struct stmt *s, const char *elem)
{
	int i = stmt_find(s, elem);
	return i < 0 ? NULL : s->w[i].text;
}

static void word_format(const struct stmt *s, size_t i, bool has_secrets, struct text *out)
{
	const char *quote = s->w[i].is_quoted ? "\"" : "";
	if (span_is(stmt_elem(s, i), "SECRET") && !has_secrets)
		text_str(out, "*****");
	else
		text_fmt(out, "%s%s%s", quote, s->w[i].text, quote);
}

void stmt_format(const struct stmt *s, bool has_secrets, struct text *out)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			text_str(out, " ");
		word_format(s, i, has_secrets, out);
	}
}

bool stmt_is_default(const struct stmt *s)
{
	if (s->row->def == NULL)
		return false;
	struct span rest = span_str(s->row->def);
	for (size_t i = 0; i < s->n; i++) {
		if (!span_is(span_cut(&rest, ' '), s->w[i].text))
			return false;
	}
	return rest.n == 0;
}

static struct span match_text(const struct line *l, const struct match *m, size_t i)
{
	struct span elem = syntax_elem(m->row->syntax, m->elem[i]);
	if (syntax_is_keyword(elem))
		return elem;
	if (m->has_rest && i + 1 == m->n)
		return line_rest(l, m->first + i);
	return l->w[m->first + i].text;
}

struct stmt *stmt_new(struct arena *a, const struct line *l, const struct match *m, uint32_t line_number)
{
	struct stmt *s = arena_alloc(a, sizeof(*s));
	struct stmt_word *w = arena_alloc(a, m->n * sizeof(*w));
	if (s == NULL || w == NULL)
		return NULL;
	*s = (struct stmt){.row = m->row, .w = w, .n = m->n, .line = line_number};
	for (size_t i = 0; i < m->n; i++) {
		bool is_rest = m->has_rest && i + 1 == m->n;
		w[i].elem = m->elem[i];
		w[i].col = l->w[m->first + i].col;
		w[i].is_quoted = l->w[m->first + i].is_quoted && !is_rest;
		w[i].text = arena_copy(a, match_text(l, m, i));
		if (w[i].text == NULL)
			return NULL;
	}
	return s;
}

static size_t key_words(const struct stmt *s)
{
	return s->row->flags & CMD_MULTI || s->row->n_keys > s->n ? s->n : s->row->n_keys;
}

static bool is_same_thing(const struct stmt *a, const struct stmt *b)
{
	size_t n = key_words(a);
	if (a->parent != b->parent || a->row != b->row || n != key_words(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(a->w[i].text, b->w[i].text) != 0)
			return false;
	}
	return true;
}

/* The file is the operator's own, so the hash needs no secret key. */
static uint64_t stmt_hash(const struct stmt *s)
{
	static const uint8_t key[16] = {0};
	uint64_t h = (uint64_t)(uintptr_t)s->parent * 31 + (uint64_t)(uintptr_t)s->row;
	for (size_t i = 0, n = key_words(s); i < n; i++)
		h = h * 1099511628211u + htab_hash(key, span_str(s->w[i].text));
	return h * 0x9e3779b97f4a7c15u;
}

static struct stmt *stmt_lookup(const struct htab *index, const struct stmt *like)
{
	for (struct htab_node *e = htab_find(index, stmt_hash(like)); e != NULL; e = htab_next(e)) {
		struct stmt *s = CONTAINER_OF(e, struct stmt, node);
		if (is_same_thing(s, like))
			return s;
	}
	return NULL;
}

bool stmt_is_family(const struct stmt *a, const struct stmt *b)
{
	return a->row->flags & b->row->flags & CMD_FAMILY && strcmp(a->w[0].text, b->w[0].text) == 0 &&
	       strcmp(a->w[1].text, b->w[1].text) == 0;
}

/* The last sibling of the same family; the last of the section when there is none. */
static struct stmt *stmt_place(const struct htab *index, struct stmt *section, const struct stmt *s)
{
	size_t n;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; s->row->flags & CMD_FAMILY && i < n; i++) {
		struct stmt like = {.row = &rows[i], .parent = section, .w = s->w, .n = 2};
		if (!(rows[i].flags & CMD_FAMILY) || rows[i].flags & CMD_MULTI)
			continue;
		struct stmt *at = stmt_lookup(index, &like);
		if (at == NULL)
			continue;
		while (at->next != NULL && stmt_is_family(at->next, s))
			at = at->next;
		return at;
	}
	return section->last;
}

struct stmt *stmt_insert(struct htab *index, struct stmt *section, struct stmt *s)
{
	s->parent = section;
	struct stmt *old = s->row->flags & CMD_LINES ? NULL : stmt_lookup(index, s);
	if (old != NULL) {
		old->w = s->w;
		old->n = s->n;
		old->line = s->line;
		old->is_builtin = old->is_builtin && old->row->enters != 0;
		return old;
	}
	struct stmt *at = stmt_place(index, section, s);
	if (htab_insert(index, &s->node, stmt_hash(s)) < 0)
		return NULL;
	s->prev = at;
	s->next = at ? at->next : NULL;
	*(s->next ? &s->next->prev : &section->last) = s;
	*(at ? &at->next : &section->first) = s;
	return s;
}

static void stmt_unlink(struct htab *index, struct stmt *s)
{
	struct stmt *section = s->parent;
	for (struct stmt *c = s->first, *next; c != NULL; c = next) {
		next = c->next;
		stmt_unlink(index, c);
	}
	if (s->is_builtin)
		return;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		section->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	else
		section->last = s->prev;
	htab_remove(index, &s->node);
}

static bool has_words(const struct stmt *s, const struct line *l, const struct match *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i >= s->n || !span_is(match_text(l, m, i), s->w[i].text))
			return false;
	}
	return true;
}

void stmt_remove(struct htab *index, struct stmt *section, const struct line *l, const struct match *m)
{
	bool is_family = m->row->flags & CMD_FAMILY && m->row->flags & CMD_CREATES;
	for (struct stmt *s = section->first, *next; s != NULL; s = next) {
		next = s->next;
		if (is_family ? s->row->flags & CMD_FAMILY && has_words(s, l, m, 2)
		              : s->row == m->row && has_words(s, l, m, m->n))
			stmt_unlink(index, s);
	}
}
