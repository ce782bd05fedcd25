#include "policy/syntax.h"

#include <errno.h>

#include "base/addr.h"
#include "base/parse.h"
#include "policy/args.h"

#define MAX_THREADS    96
#define MAX_CANDIDATES 1024

bool syntax_is_keyword(struct span elem)
{
	return elem.n > 0 && elem.p[0] >= 'a' && elem.p[0] <= 'z';
}

struct span syntax_keywords(const char *s)
{
	return span_trim(span_of(s, strcspn(s, "[{(ABCDEFGHIJKLMNOPQRSTUVWXYZ")));
}

static size_t elem_end(const char *s, size_t pos)
{
	return pos + strcspn(s + pos, " []{}|");
}

struct span syntax_elem(const char *s, size_t pos)
{
	size_t n = elem_end(s, pos) - pos;
	if (n > 3 && memcmp(s + pos + n - 3, "...", 3) == 0)
		n -= 3;
	return span_of(s + pos, n);
}

static bool is_open(char c)
{
	return c == '{' || c == '[';
}

static bool is_close(char c)
{
	return c == '}' || c == ']';
}

/* From inside brackets at pos: the next "|" (wants_bar) or closing bracket of the same level. */
static size_t level_end(const char *s, size_t pos, bool wants_bar)
{
	int depth = 0;
	for (; s[pos] != '\0'; pos++) {
		if (depth == 0 && (is_close(s[pos]) || (wants_bar && s[pos] == '|')))
			return pos;
		depth += is_open(s[pos]) ? 1 : is_close(s[pos]) ? -1 : 0;
	}
	return pos;
}

/* The opening bracket of the innermost brackets around pos; SIZE_MAX: none. */
static size_t level_start(const char *s, size_t pos)
{
	int depth = 0;
	while (pos-- > 0) {
		if (is_close(s[pos]))
			depth++;
		if (is_open(s[pos]) && depth-- == 0)
			return pos;
	}
	return SIZE_MAX;
}

struct next {
	uint8_t *v;
	size_t n;
};

static void next_add(struct next *out, size_t pos)
{
	if (pos > UINT8_MAX)
		return;
	for (size_t i = 0; i < out->n; i++) {
		if (out->v[i] == pos)
			return;
	}
	if (out->n < SYNTAX_MAX_NEXT)
		out->v[out->n++] = (uint8_t)pos;
}

static void next_from(const char *s, size_t pos, int depth, struct next *out);

static void next_alternatives(const char *s, size_t open, int depth, struct next *out)
{
	size_t at = open;
	do {
		next_from(s, at + 1, depth, out);
		at = level_end(s, at + 1, true);
	} while (s[at] == '|');
}

static void next_from(const char *s, size_t pos, int depth, struct next *out)
{
	if (depth > 16)
		return;
	while (s[pos] == ' ')
		pos++;
	if (is_open(s[pos])) {
		next_alternatives(s, pos, depth + 1, out);
		if (s[pos] == '[')
			next_from(s, level_end(s, pos + 1, false) + 1, depth + 1, out);
	} else if (is_close(s[pos]) || s[pos] == '|') {
		size_t close = level_end(s, pos, false);
		bool is_repeated = strncmp(s + close + 1, "...", 3) == 0;
		if (is_repeated)
			next_alternatives(s, level_start(s, close), depth + 1, out);
		next_from(s, close + (is_repeated ? 4 : 1), depth + 1, out);
	} else {
		next_add(out, pos);
	}
}

size_t syntax_next(const char *s, size_t pos, uint8_t ret[static SYNTAX_MAX_NEXT])
{
	struct next out = {.v = ret};
	if (pos == SYNTAX_START) {
		next_from(s, 0, 0, &out);
		return out.n;
	}
	size_t end = elem_end(s, pos);
	if (end - pos > 3 && memcmp(s + end - 3, "...", 3) == 0)
		next_add(&out, pos);
	next_from(s, end, 0, &out);
	return out.n;
}

uint32_t syntax_choice(const char *s, size_t pos)
{
	size_t open = level_start(s, pos);
	uint32_t n = 0;
	if (open == SIZE_MAX)
		return 0;
	for (size_t at = level_end(s, open + 1, true); at < pos && s[at] == '|';
	        at = level_end(s, at + 1, true))
		n++;
	return n;
}

/* How well a word fits an element; a larger rank wins over all smaller ones. */
enum rank { RANK_NO, RANK_ARG, RANK_PREFIX, RANK_EXACT };

static enum rank elem_rank(const struct command *row, struct span elem, const struct word *w)
{
	if (!syntax_is_keyword(elem))
		return arg_check(row, elem, w) == 0 ? RANK_ARG : RANK_NO;
	if (w->is_quoted || w->text.n == 0 || w->text.n > elem.n)
		return RANK_NO;
	if (strncasecmp((const char *)elem.p, (const char *)w->text.p, w->text.n) != 0)
		return RANK_NO;
	if (w->text.n == elem.n)
		return RANK_EXACT;
	return row->flags & CMD_IGNORED ? RANK_NO : RANK_PREFIX; /* only full words are ignored by name */
}

struct thread {
	const struct command *row;
	size_t pos; /* of the last matched element, or SYNTAX_START */
	uint8_t elem[LINE_MAX_WORDS];
};

/* An element that may stand at the present word. */
struct candidate {
	const struct thread *from; /* NULL at the first word */
	const struct command *row;
	uint8_t pos;
};

struct matcher {
	enum mode mode;
	const struct line *line;
	size_t first;
	struct thread threads[2][MAX_THREADS];
	struct thread *cur;
	size_t n_cur;
	struct candidate cand[MAX_CANDIDATES];
	size_t n_cand;
	const struct command
	        *fallback; /* an ignored command that takes the rest of the line, whatever it is */
	struct match *ret;
};

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

#define DISTANCE_MAX_CHARS 40

size_t syntax_distance(struct span a, struct span b)
{
	size_t row[DISTANCE_MAX_CHARS + 1];
	if (a.n > DISTANCE_MAX_CHARS || b.n > DISTANCE_MAX_CHARS)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t up = row[j];
			size_t cost = (a.p[i - 1] | 0x20) == (b.p[j - 1] | 0x20) ? 0 : 1;
			row[j] = min3(up + 1, row[j - 1] + 1, diagonal + cost);
			diagonal = up;
		}
	}
	return row[b.n];
}

static void expect(struct match *m, const struct command *row, struct span elem, const struct word *w)
{
	size_t distance = w && syntax_is_keyword(elem) ? syntax_distance(elem, w->text) : SIZE_MAX;
	if (distance < m->nearest_distance && distance <= 1 + elem.n / 4 && distance < elem.n) {
		m->nearest = elem;
		m->nearest_distance = distance;
	}
	if (row->flags & CMD_IGNORED)
		return;
	for (size_t i = 0; i < m->n_expected; i++) {
		if (span_eq(m->expected[i], elem))
			return;
	}
	if (m->n_expected < MATCH_MAX_EXPECTED)
		m->expected[m->n_expected++] = elem;
}

static void expect_reset(struct match *m)
{
	m->n_expected = 0;
	m->nearest = (struct span){0};
	m->nearest_distance = SIZE_MAX;
}

static void cand_add(struct matcher *m, const struct thread *from, const struct command *row)
{
	uint8_t pos[SYNTAX_MAX_NEXT];
	size_t n = syntax_next(row->syntax, from ? from->pos : SYNTAX_START, pos);
	for (size_t k = 0; k < n && m->n_cand < MAX_CANDIDATES; k++)
		m->cand[m->n_cand++] = (struct candidate){from, row, pos[k]};
}

/* initial: only rows that begin with this letter, of either case; 0: all. Speed only. */
static void cand_collect(struct matcher *m, bool is_first, uint8_t initial)
{
	size_t n_rows;
	const struct command *rows = command_table(&n_rows);
	m->n_cand = 0;
	for (size_t r = 0; is_first && r < n_rows; r++) {
		bool may_begin = initial == 0 || (rows[r].syntax[0] | 0x20) == (initial | 0x20);
		if (rows[r].modes & m->mode && may_begin)
			cand_add(m, NULL, &rows[r]);
	}
	for (size_t t = 0; !is_first && t < m->n_cur; t++)
		cand_add(m, &m->cur[t], m->cur[t].row);
}

/* What one word does to all candidates. */
struct survey {
	enum rank best;
	struct span keyword; /* of the best rank */
	bool is_ambiguous;
	bool can_end; /* the command was complete before this word */
	const struct command *out_of_range;
};

static void survey_one(struct matcher *m, struct survey *s, const struct candidate *c, size_t i)
{
	struct span elem = syntax_elem(c->row->syntax, c->pos);
	const struct word *w = &m->line->w[i];
	if (elem.n == 0) {
		s->can_end = true;
		return;
	}
	if (span_is(elem, "REST")) {
		m->fallback = c->row;
		return;
	}
	enum rank rank = elem_rank(c->row, elem, w);
	if (rank == RANK_NO && !syntax_is_keyword(elem) && arg_check(c->row, elem, w) == -ERANGE)
		s->out_of_range = c->row;
	if (rank > s->best) {
		s->best = rank;
		s->keyword = elem;
		s->is_ambiguous = false;
	} else if (rank == RANK_PREFIX && s->best == RANK_PREFIX && !span_eq(elem, s->keyword)) {
		s->is_ambiguous = true;
	}
}

/* What could have stood at word i; after an ambiguous one only what it may stand for. */
static void expect_at(struct matcher *m, size_t i, bool is_ambiguous)
{
	const struct word *w = &m->line->w[i];
	for (size_t k = 0; k < m->n_cand; k++) {
		struct span elem = syntax_elem(m->cand[k].row->syntax, m->cand[k].pos);
		if (elem.n == 0 || span_is(elem, "REST"))
			continue;
		if (!is_ambiguous || elem_rank(m->cand[k].row, elem, w) == RANK_PREFIX)
			expect(m->ret, m->cand[k].row, elem, is_ambiguous ? NULL : w);
	}
}

/* The candidates of the best rank become the threads. Returns the one that swallows the rest of the line. */
static const struct thread *advance(struct matcher *m, enum rank best, size_t i)
{
	struct thread *next = m->cur == m->threads[0] ? m->threads[1] : m->threads[0];
	size_t n = i - m->first, n_next = 0;
	const struct thread *rest = NULL;
	for (size_t k = 0; k < m->n_cand && n_next < MAX_THREADS; k++) {
		const struct candidate *c = &m->cand[k];
		struct span elem = syntax_elem(c->row->syntax, c->pos);
		if (elem.n == 0 || span_is(elem, "REST") || elem_rank(c->row, elem, &m->line->w[i]) != best)
			continue;
		struct thread *t = &next[n_next++];
		t->row = c->row;
		t->pos = c->pos;
		if (n > 0)
			memcpy(t->elem, c->from->elem, n);
		t->elem[n] = c->pos;
		if (rest == NULL && span_is(elem, "TEXT"))
			rest = t;
	}
	m->cur = next;
	m->n_cur = n_next;
	return rest;
}

static void finish(struct matcher *m, const struct thread *t, size_t n, bool has_rest)
{
	m->ret->result = MATCH_OK;
	m->ret->row = t->row;
	m->ret->n = n;
	m->ret->has_rest = has_rest;
	memcpy(m->ret->elem, t->elem, n);
}

/* The `no` form may stop where a value would follow: at an argument behind the keys, or at brackets. */
static bool can_stop_no(const struct thread *t, size_t n)
{
	const char *s = t->row->syntax;
	size_t at = elem_end(s, t->pos);
	while (s[at] == ' ')
		at++;
	return n >= t->row->n_keys && !syntax_is_keyword(syntax_elem(s, at));
}

static void match_end(struct matcher *m, bool is_no)
{
	size_t n = m->line->n - m->first;
	cand_collect(m, n == 0, 0);
	expect_reset(m->ret);
	for (size_t k = 0; k < m->n_cand; k++) {
		struct span elem = syntax_elem(m->cand[k].row->syntax, m->cand[k].pos);
		if (elem.n == 0 && n > 0) {
			finish(m, m->cand[k].from, n, false);
			return;
		}
		if (span_is(elem, "REST"))
			m->fallback = m->cand[k].row;
		expect(m->ret, m->cand[k].row, elem, NULL);
	}
	for (size_t t = 0; is_no && t < m->n_cur; t++) {
		if (can_stop_no(&m->cur[t], n)) {
			finish(m, &m->cur[t], n, false);
			return;
		}
	}
	m->ret->result = MATCH_INCOMPLETE;
	m->ret->bad = m->line->n;
}

/* false: the line does not match; ret says why. */
static bool match_word(struct matcher *m, size_t i, const struct thread **ret_rest)
{
	struct survey s = {0};
	struct span text = m->line->w[i].text;
	cand_collect(m, i == m->first, text.n > 0 ? text.p[0] : 0);
	expect_reset(m->ret);
	for (size_t k = 0; k < m->n_cand; k++)
		survey_one(m, &s, &m->cand[k], i);
	if (s.is_ambiguous || s.best == RANK_NO) {
		m->ret->bad = i;
		m->ret->row = s.out_of_range;
		if (i == m->first)
			cand_collect(m, true, 0); /* the nearest word may begin with another letter */
		expect_at(m, i, s.is_ambiguous);
		m->ret->result = s.is_ambiguous                         ? MATCH_AMBIGUOUS
		                 : s.out_of_range                       ? MATCH_RANGE
		                 : s.can_end && m->ret->n_expected == 0 ? MATCH_TOO_LONG
		                                                        : MATCH_UNKNOWN;
		return false;
	}
	*ret_rest = advance(m, s.best, i);
	return true;
}

static void match_all(struct matcher *m, bool is_no)
{
	const struct thread *rest = NULL;
	for (size_t i = m->first; i < m->line->n; i++) {
		if (!match_word(m, i, &rest))
			return;
		if (rest != NULL) {
			finish(m, rest, i - m->first + 1, true);
			return;
		}
	}
	if (m->line->has_more) {
		m->ret->result = MATCH_TOO_LONG;
		m->ret->bad = m->line->n - 1;
		return;
	}
	match_end(m, is_no);
}

void syntax_match(enum mode mode, const struct line *l, size_t first, bool is_no, struct match *ret)
{
	struct matcher m;
	m.mode = mode;
	m.line = l;
	m.first = first;
	m.cur = m.threads[0];
	m.n_cur = 0;
	m.fallback = NULL;
	m.ret = ret;
	ret->row = NULL;
	ret->first = first;
	ret->n = 0;
	ret->has_rest = false;
	expect_reset(ret);
	match_all(&m, is_no);
	if (ret->result != MATCH_OK && m.fallback != NULL) {
		ret->result = MATCH_OK;
		ret->row = m.fallback;
		ret->n = 0;
	}
}
