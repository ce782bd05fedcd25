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

/* The row whose last word was the one before, if the line may end there. */
static const struct command *complete_row(const struct command_match *m)
{
	for (size_t i = 0; i < m->table->n; i++) {
		const struct command *c = &m->table->v[i];
		if ((m->rows & ROW(i)) && (c->run || c->option) && n_words(c) == m->at - m->base)
			return c;
	}
	return NULL;
}

static bool is_option_used(const struct command_match *m, const struct command *row)
{
	for (size_t i = 0; i < m->n_options; i++) {
		if (span_eq(word_at(m->options[i].row, 0), word_at(row, 0)))
			return true;
	}
	return false;
}

/* From the end of a command, or of an option, to the options that may follow. False: none may. */
static bool enter_options(struct command_match *m)
{
	const struct command *c = complete_row(m);
	if (!c || !(c->option ? m->command : c)->options || m->n_options == COMMAND_MAX_OPTIONS)
		return false;
	if (c->option)
		m->options[m->n_options++] = (struct command_option){c, m->option_arg};
	else
		m->command = c;
	m->option_arg = NULL;
	m->table = m->command->options;
	m->base = m->at;
	m->rows = 0;
	for (size_t i = 0; i < m->table->n; i++) {
		if (!is_option_used(m, &m->table->v[i]))
			m->rows |= ROW(i);
	}
	return m->rows != 0;
}

/* Takes one more word. False: verdict is set. */
static bool match_word(struct command_match *m, const char *typed)
{
	struct fits f = fits_of(m->table, m->rows, m->at - m->base, typed);
	struct command_match before = *m;
	if (!f.exact && !f.prefix && !f.arg && enter_options(m))
		f = fits_of(m->table, m->rows, 0, typed);
	bool is_literal = f.exact || f.prefix;
	if (!f.exact && f.prefix && f.is_ambiguous) {
		m->verdict = COMMAND_AMBIGUOUS;
		return false;
	}
	uint64_t rows = f.exact ? f.exact : f.prefix ? f.prefix : f.arg;
	if (!rows || (!is_literal && m->n_args == COMMAND_MAX_ARGS)) {
		*m = before;
		m->verdict = COMMAND_UNKNOWN;
		return false;
	}
	if (!is_literal && m->command)
		m->option_arg = typed;
	else if (!is_literal)
		m->args[m->n_args++] = typed;
	m->rows = rows;
	m->at++;
	return true;
}

struct command_match command_find(const struct command_table *t, const char *const *argv, size_t argc)
{
	struct command_match m = {.rows = UINT64_MAX, .table = t};
	for (size_t i = 0; i < argc; i++) {
		if (!match_word(&m, argv[i]))
			return m;
	}
	const struct command *c = complete_row(&m);
	m.verdict = c ? COMMAND_FOUND : COMMAND_INCOMPLETE;
	if (c && !c->option)
		m.command = c;
	else if (c && m.n_options < COMMAND_MAX_OPTIONS)
		m.options[m.n_options++] = (struct command_option){c, m.option_arg};
	return m;
}

/* Has an earlier row shown the same word at this place? */
static bool is_shown(const struct command_match *m, size_t row)
{
	const struct command *v = m->table->v;
	for (size_t i = 0; i < row; i++) {
		if ((m->rows & ROW(i)) &&
		        span_eq(word_at(&v[i], m->at - m->base), word_at(&v[row], m->at - m->base)))
			return true;
	}
	return false;
}

/* The row that ends with this word explains it. */
static const char *help_of(const struct command_match *m, struct span word)
{
	size_t pos = m->at - m->base;
	for (size_t i = 0; i < m->table->n; i++) {
		const struct command *c = &m->table->v[i];
		if ((m->rows & ROW(i)) && n_words(c) == pos + 1 && span_eq(word_at(c, pos), word))
			return c->help;
	}
	return "";
}

static void next_words(const struct command_match *m, const char *prefix, command_next_f *f, void *ctx)
{
	for (size_t i = 0; i < m->table->n; i++) {
		if (!(m->rows & ROW(i)))
			continue;
		struct span word = word_at(&m->table->v[i], m->at - m->base);
		if (word.n > 0 && (is_arg(word) || span_starts(word, prefix)) && !is_shown(m, i))
			f(ctx, word, help_of(m, word));
	}
}

void command_next(const struct command_match *m, const char *prefix, command_next_f *f, void *ctx)
{
	/* a match that was FOUND has its last option recorded already */
	struct command_match options = *m;
	if (m->verdict == COMMAND_FOUND && m->n_options > 0)
		options.n_options--;
	next_words(m, prefix, f, ctx);
	if (enter_options(&options))
		next_words(&options, prefix, f, ctx);
	if (complete_row(m) && prefix[0] == '\0')
		f(ctx, span_str("<cr>"), "");
}

static void list_one(void *ctx, struct span word, const char *help)
{
	text_fmt(ctx, "  %-16.*s %s\n", (int)word.n, (const char *)word.p, help);
}

void command_list(const struct command_match *m, const char *prefix, struct text *out)
{
	command_next(m, prefix, list_one, out);
}

void command_complain(const struct command_match *m, const char *const *argv, struct text *out)
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
	command_list(m, prefix, out);
}
