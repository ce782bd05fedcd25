#include "base/option_table.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"

/* ---- help ---- */

/* "-o, --output FILE", indented where there is no letter. Returns its width. */
static size_t left_put(struct text *t, const struct option_row *row)
{
	size_t from = t->n;
	if (row->letter != 0)
		text_fmt(t, "  -%c, --%s", row->letter, row->name);
	else
		text_fmt(t, "      --%s", row->name);
	if (row->arg != NULL)
		text_fmt(t, " %s", row->arg);
	return t->n - from;
}

static size_t left_width(const struct option_table *t)
{
	size_t most = 0;
	for (size_t i = 0; i < t->n_rows; i++) {
		struct text one = {0};
		size_t n = left_put(&one, &t->rows[i]);
		text_done(&one);
		if (n > most)
			most = n;
	}
	return most;
}

/* "culvert connect" */
static void name_put(struct text *out, const struct option_table *t)
{
	text_fmt(out, "%s%s%s", t->program, t->command ? " " : "", t->command ? t->command : "");
}

static void help_put(struct text *out, const struct option_table *t)
{
	size_t width = left_width(t);
	text_str(out, "Usage: ");
	name_put(out, t);
	text_fmt(out, " %s\n\n%s\n\n", t->usage, t->about);
	for (size_t i = 0; i < t->n_rows; i++) {
		size_t n = left_put(out, &t->rows[i]);
		text_fmt(out, "%*s%s\n", (int)(width - n) + 2, "", t->rows[i].help);
	}
	if (t->end != NULL)
		text_fmt(out, "\n%s\n", t->end);
}

/* ---- one option ---- */

struct reader {
	const struct option_table *t;
	char **argv; /* what has not been read */
	size_t n;
	void *into;
	struct text why, *say;
};

static char *next(struct reader *r)
{
	if (r->n == 0)
		return NULL;
	r->n--;
	return *r->argv++;
}

static bool number_take(const struct option_row *row, const char *value, uint32_t *ret, struct text *why)
{
	if (parse_u32(span_str(value), row->min, row->max, ret) == 0 ||
	        (row->may_be_0 && parse_u32(span_str(value), 0, 0, ret) == 0))
		return true;
	text_fmt(why, "--%s wants a number%s%s from %u to %u%s, not \"%s\"", row->name,
	        row->unit ? " of " : "", row->unit ? row->unit : "", row->min, row->max,
	        row->may_be_0 ? ", or 0 for none" : "", value);
	return false;
}

static bool choice_take(const struct option_row *row, const char *value, unsigned *ret, struct text *why)
{
	const struct option_word *w = row->words;
	for (size_t i = 0; w[i].word != NULL; i++) {
		if (strcmp(w[i].word, value) == 0) {
			*ret = w[i].value;
			return true;
		}
	}
	text_fmt(why, "--%s is ", row->name);
	for (size_t i = 0; w[i].word != NULL; i++)
		text_fmt(why, "%s%s", i == 0 ? "" : w[i + 1].word != NULL ? ", " : " or ", w[i].word);
	text_fmt(why, ", not \"%s\"", value);
	return false;
}

/* value: NULL for a row that takes none. */
static enum options_verdict row_take(struct reader *r, const struct option_row *row, const char *value)
{
	void *at = (char *)r->into + row->at;
	bool is_good = true;
	switch (row->kind) {
	case OPTION_KIND_SWITCH:
		*(bool *)at = true;
		break;
	case OPTION_KIND_COUNT:
		++*(unsigned *)at;
		break;
	case OPTION_KIND_SET:
		*(unsigned *)at = row->min;
		break;
	case OPTION_KIND_TEXT:
		*(const char **)at = value;
		break;
	case OPTION_KIND_NUMBER:
		is_good = number_take(row, value, at, &r->why);
		break;
	case OPTION_KIND_CHOICE:
		is_good = choice_take(row, value, at, &r->why);
		break;
	case OPTION_KIND_TAKE:
		is_good = row->take(at, value, &r->why);
		break;
	case OPTION_KIND_HELP:
		help_put(r->say, r->t);
		return OPTIONS_HELP;
	case OPTION_KIND_VERSION:
		text_fmt(r->say, "%s " CULVERT_VERSION "\n", r->t->program);
		return OPTIONS_HELP;
	}
	return is_good ? OPTIONS_OK : OPTIONS_BAD;
}

/* value: what stood behind it in the same argument; NULL: nothing. */
static enum options_verdict value_take(struct reader *r, const struct option_row *row, const char *value)
{
	if (row->arg == NULL) {
		if (value == NULL)
			return row_take(r, row, NULL);
		text_fmt(&r->why, "--%s takes no value", row->name);
		return OPTIONS_BAD;
	}
	if (value == NULL)
		value = next(r);
	if (value != NULL && value[0] != '\0')
		return row_take(r, row, value);
	text_fmt(&r->why, "--%s needs a value: %s", row->name, row->arg);
	return OPTIONS_BAD;
}

static enum options_verdict unknown(struct reader *r, const char *arg)
{
	if (r->t->command != NULL)
		text_fmt(&r->why, "%s does not know \"%s\"", r->t->command, arg);
	else
		text_fmt(&r->why, "unknown argument \"%s\"", arg);
	return OPTIONS_BAD;
}

/* ---- names and letters ---- */

static bool row_begins(const struct option_row *row, struct span name)
{
	return strlen(row->name) >= name.n && memcmp(row->name, name.p, name.n) == 0;
}

/* The row of that name, or the first one that begins so; *ret_n: how many do. */
static const struct option_row *row_find(const struct option_table *t, struct span name, size_t *ret_n)
{
	const struct option_row *first = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct option_row *row = &t->rows[i];
		if (!row_begins(row, name))
			continue;
		if (row->name[name.n] == '\0') {
			*ret_n = 1;
			return row;
		}
		if ((*ret_n)++ == 0)
			first = row;
	}
	return first;
}

/* arg: "--name" or "--name=value". */
static enum options_verdict name_take(struct reader *r, const char *arg)
{
	const char *equals = strchrnul(arg, '=');
	struct span name = span_of(arg + 2, (size_t)(equals - arg - 2));
	size_t n;
	const struct option_row *row = row_find(r->t, name, &n);
	if (n == 0 || name.n == 0)
		return unknown(r, arg);
	if (n == 1)
		return value_take(r, row, *equals == '=' ? equals + 1 : NULL);
	text_fmt(&r->why, "--%.*s could be ", (int)name.n, (const char *)name.p);
	for (size_t i = 0; i < r->t->n_rows; i++) {
		if (row_begins(&r->t->rows[i], name)) {
			n--;
			text_fmt(&r->why, "--%s%s", r->t->rows[i].name, n > 1 ? ", " : n == 1 ? " or " : "");
		}
	}
	return OPTIONS_BAD;
}

/* arg: "-x", "-xyz" or "-xVALUE". */
static enum options_verdict letters_take(struct reader *r, const char *arg)
{
	enum options_verdict v = OPTIONS_OK;
	for (const char *p = arg + 1; *p != '\0' && v == OPTIONS_OK; p++) {
		const struct option_row *row = NULL;
		for (size_t i = 0; i < r->t->n_rows; i++)
			if (r->t->rows[i].letter == *p)
				row = &r->t->rows[i];
		if (row == NULL)
			return unknown(r, arg);
		if (row->arg != NULL)
			return value_take(r, row, p[1] != '\0' ? p + 1 : NULL);
		v = row_take(r, row, NULL);
	}
	return v;
}

/* ---- the whole ---- */

static enum options_verdict words_check(struct reader *r, const struct option_words *w)
{
	if (w->n >= r->t->min_words && w->n <= r->t->max_words)
		return OPTIONS_OK;
	if (r->t->max_words == 0)
		return unknown(r, w->v[0]);
	if (r->t->command != NULL)
		text_fmt(&r->why, "%s wants %s", r->t->command, r->t->words);
	else
		text_fmt(&r->why, "wanted: %s", r->t->words);
	return OPTIONS_BAD;
}

static enum options_verdict all_take(struct reader *r, struct option_words *ret_words)
{
	struct option_words w = {.v = r->argv};
	enum options_verdict v = OPTIONS_OK;
	bool is_over = false;
	char *arg;
	while (v == OPTIONS_OK && (arg = next(r)) != NULL) {
		bool is_option = !is_over && arg[0] == '-' && arg[1] != '\0';
		if (is_option && strcmp(arg, "--") == 0) {
			is_over = true;
		} else if (is_option) {
			v = arg[1] == '-' ? name_take(r, arg) : letters_take(r, arg);
		} else {
			w.v[w.n++] = arg; /* never beyond what was read */
			is_over = is_over || r->t->is_over_at_word;
		}
	}
	*ret_words = w;
	return v == OPTIONS_OK ? words_check(r, &w) : v;
}

enum options_verdict option_table_parse(const struct option_table *t, int argc, char **argv, void *into,
        struct option_words *ret_words, struct text *say)
{
	size_t n = argc > 0 ? (size_t)argc - 1 : 0;
	struct reader r = {.t = t, .argv = argv + (argc > 0), .n = n, .into = into, .say = say};
	enum options_verdict v = all_take(&r, ret_words);
	if (v == OPTIONS_BAD)
		v = option_table_refuse(t, say, "%s", text_cstr(&r.why));
	text_done(&r.why);
	return v;
}

enum options_verdict option_table_refuse(const struct option_table *t, struct text *say, const char *fmt, ...)
{
	va_list ap;
	text_fmt(say, "%s: ", t->program);
	va_start(ap, fmt);
	text_vfmt(say, fmt, ap);
	va_end(ap);
	text_str(say, ".\nTry: ");
	name_put(say, t);
	text_str(say, " --help\n");
	return OPTIONS_BAD;
}

int option_table_say(enum options_verdict v, struct text *say)
{
	fputs(text_cstr(say), v == OPTIONS_BAD ? stderr : stdout);
	text_done(say);
	return v == OPTIONS_BAD ? 1 : 0;
}
