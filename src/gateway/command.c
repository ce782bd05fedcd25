#include "gateway/command.h"

#define ROW(i) (UINT64_C(1) << (i))

static struct span word_at(const struct command *c, size_t pos)
{
	struct span rest = span_str(c->syntax);
	while (pos-- > 0)
		span_cut(&rest, ' ');
	return span_cut(&rest, ' ');
}

static bool is_arg(struct span word)
{
	return word.n > 0 && word.p[0] == '<';
}

static size_t n_words(const struct command *c)
{
	size_t n = 1;
	for (const char *p = c->syntax; *p; p++)
		n += *p == ' ';
	return n;
}

/* How a typed word fits the table at one position; the better kind hides the others. */
struct fits {
	uint64_t exact, prefix, arg;
	struct span prefix_word;
	bool is_ambiguous;
};

static void fits_add(struct fits *f, size_t row, struct span have, struct span typed)
{
	if (is_arg(have)) {
		f->arg |= ROW(row);
	} else if (span_eq(have, typed)) {
		f->exact |= ROW(row);
	} else if (typed.n > 0 && typed.n < have.n && memcmp(have.p, typed.p, typed.n) == 0) {
		if (f->prefix && !span_eq(f->prefix_word, have))
			f->is_ambiguous = true;
		f->prefix |= ROW(row);
		f->prefix_word = have;
	}
}

static struct fits fits_of(const struct command_table *t, uint64_t rows, size_t pos, const char *typed)
{
	struct fits f = {0};
	for (size_t i = 0; i < t->n; i++) {
		if (!(rows & ROW(i)))
			continue;
		struct span have = word_at(&t->v[i], pos);
		if (have.n > 0)
			fits_add(&f, i, have, span_str(typed));
	}
	return f;
}

/* Takes one more word. False: verdict is set. */
static bool match_word(const struct command_table *t, struct command_match *m, const char *typed)
{
	struct fits f = fits_of(t, m->rows, m->at, typed);
	bool is_literal = f.exact || f.prefix;
	if (!f.exact && f.prefix && f.is_ambiguous) {
		m->verdict = COMMAND_AMBIGUOUS;
		return false;
	}
	uint64_t rows = f.exact ? f.exact : f.prefix ? f.prefix : f.arg;
	if (!rows || (!is_literal && m->n_args == COMMAND_MAX_ARGS)) {
		m->verdict = COMMAND_UNKNOWN;
		return false;
	}
	if (!is_literal)
		m->args[m->n_args++] = typed;
	m->rows = rows;
	m->at++;
	return true;
}

struct command_match command_find(const struct command_table *t, const char *const *argv, size_t argc)
{
	struct command_match m = {.rows = UINT64_MAX};
	for (size_t i = 0; i < argc; i++) {
		if (!match_word(t, &m, argv[i]))
			return m;
	}
	m.verdict = COMMAND_INCOMPLETE;
	for (size_t i = 0; i < t->n; i++) {
		if ((m.rows & ROW(i)) && t->v[i].run && n_words(&t->v[i]) == argc) {
			m.verdict = COMMAND_FOUND;
			m.command = &t->v[i];
			break;
		}
	}
	return m;
}

/* Has an earlier row shown the same word at this place? */
static bool is_shown(const struct command_table *t, const struct command_match *m, size_t row)
{
	for (size_t i = 0; i < row; i++) {
		if ((m->rows & ROW(i)) && span_eq(word_at(&t->v[i], m->at), word_at(&t->v[row], m->at)))
			return true;
	}
	return false;
}

/* The row that ends with this word explains it. */
static const char *help_of(const struct command_table *t, const struct command_match *m, struct span word)
{
	for (size_t i = 0; i < t->n; i++) {
		if ((m->rows & ROW(i)) && n_words(&t->v[i]) == m->at + 1 &&
		        span_eq(word_at(&t->v[i], m->at), word))
			return t->v[i].help;
	}
	return "";
}

void command_next(const struct command_table *t, const struct command_match *m, const char *prefix,
        command_next_f *f, void *ctx)
{
	bool may_end = false;
	for (size_t i = 0; i < t->n; i++) {
		if (!(m->rows & ROW(i)))
			continue;
		struct span word = word_at(&t->v[i], m->at);
		if (word.n == 0)
			may_end |= t->v[i].run != NULL;
		else if ((is_arg(word) || span_starts(word, prefix)) && !is_shown(t, m, i))
			f(ctx, word, help_of(t, m, word));
	}
	if (may_end && prefix[0] == '\0')
		f(ctx, span_str("<cr>"), "");
}

static void list_one(void *ctx, struct span word, const char *help)
{
	text_fmt(ctx, "  %-16.*s %s\n", (int)word.n, (const char *)word.p, help);
}

void command_list(
        const struct command_table *t, const struct command_match *m, const char *prefix, struct text *out)
{
	command_next(t, m, prefix, list_one, out);
}

void command_complain(const struct command_table *t, const struct command_match *m, const char *const *argv,
        struct text *out)
{
	const char *prefix = "";
	if (m->verdict == COMMAND_INCOMPLETE) {
		text_str(out, "ERROR: % Incomplete command");
	} else {
		bool is_ambiguous = m->verdict == COMMAND_AMBIGUOUS;
		text_str(out, is_ambiguous ? "ERROR: % Ambiguous command: \"" : "ERROR: % Invalid input: \"");
		text_escaped(out, span_str(argv[m->at]), 64);
		text_str(out, "\"");
		prefix = is_ambiguous ? argv[m->at] : "";
	}
	text_str(out, "\nPossible here:\n");
	command_list(t, m, prefix, out);
}
