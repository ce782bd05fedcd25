#include "ctl/pipe.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum pipe_kind kind;
} kinds[] = {
        {"include", PIPE_INCLUDE},
        {"exclude", PIPE_EXCLUDE},
        {"begin", PIPE_BEGIN},
        {"grep", PIPE_INCLUDE},
};

const char *pipe_help(void)
{
	return "  include          Only lines that match an expression\n"
	       "  exclude          Only lines that do not\n"
	       "  begin            From the first line that matches on\n"
	       "  grep             As include; with -v as exclude\n";
}

static enum pipe_kind kind_find(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < N_ELEM(kinds); i++) {
		if (n > 0 && strncasecmp(kinds[i].word, word, n) == 0)
			return kinds[i].kind;
	}
	return PIPE_NONE;
}

static int expression_compile(struct pipe *p, const char *const *argv, size_t argc, struct text *why)
{
	struct text expression = {0};
	char text[128];
	for (size_t i = 0; i < argc; i++)
		text_fmt(&expression, "%s%s", i > 0 ? " " : "", argv[i]);
	int r = regcomp(&p->regex, text_cstr(&expression), REG_EXTENDED | REG_NOSUB);
	if (r != 0) {
		regerror(r, &p->regex, text, sizeof(text));
		text_fmt(why, "\"%s\" is no regular expression: %s", text_cstr(&expression), text);
		p->kind = PIPE_NONE;
	}
	text_done(&expression);
	return r == 0 ? 0 : ERR_MALFORMED;
}

int pipe_parse(const char *const *argv, size_t *argc, struct pipe *ret, struct text *why)
{
	size_t bar = 1, n = *argc;
	*ret = (struct pipe){0};
	while (bar < n && argv[bar][0] != '|')
		bar++;
	if (bar >= n)
		return 0;
	*argc = bar;
	const char *word = argv[bar] + 1; /* "|include" as well */
	if (*word == '\0')
		word = ++bar < n ? argv[bar] : "";
	ret->kind = kind_find(word);
	bar++;
	if (bar < n && strncasecmp(word, "g", 1) == 0 && strcmp(argv[bar], "-v") == 0) {
		ret->kind = PIPE_EXCLUDE;
		bar++;
	}
	if (ret->kind != PIPE_NONE && bar < n)
		return expression_compile(ret, argv + bar, n - bar, why);
	ret->kind = PIPE_NONE;
	text_str(why, "after \"|\" comes include, exclude, begin or grep, and an expression");
	return ERR_MALFORMED;
}

static bool is_shown(struct pipe *p, const char *line)
{
	bool is_match = regexec(&p->regex, line, 0, NULL, 0) == 0;
	if (p->kind == PIPE_BEGIN)
		return p->has_begun |= is_match;
	return is_match == (p->kind == PIPE_INCLUDE);
}

static void line_end(struct pipe *p, struct text *out)
{
	if (is_shown(p, text_cstr(&p->part)))
		text_fmt(out, "%s\n", text_cstr(&p->part));
	text_done(&p->part);
}

void pipe_take(struct pipe *p, struct span data, struct text *out)
{
	if (p->kind == PIPE_NONE) {
		text_put(out, data);
		return;
	}
	while (data.n > 0) {
		size_t before = data.n;
		struct span line = span_cut(&data, '\n');
		text_put(&p->part, line);
		if (line.n < before || p->part.n > PIPE_LINE_MAX)
			line_end(p, out);
	}
}

void pipe_end(struct pipe *p, struct text *out)
{
	if (p->part.n > 0)
		line_end(p, out);
}

void pipe_done(struct pipe *p)
{
	if (p->kind != PIPE_NONE)
		regfree(&p->regex);
	text_done(&p->part);
	p->kind = PIPE_NONE;
}
